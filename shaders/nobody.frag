#version 330 core
// Clears the ids: nobody owns anything yet.

out int id;

void main() {
    id = -1;
}
