#version 330 core
// Outlines of target pixels in the atlas of slots, which lie below each other. Positions are sub-pixels; row 0 of the atlas is its first row.

uniform vec2 atlas;    // size in sub-pixels
uniform int slot_edge; // edge of a slot in sub-pixels

in vec2 position;      // relative to the slot
in ivec3 owner;        // index of the polygon, slot, rank
flat out int index;
flat out ivec2 corner; // the slot's first sub-pixel

void main() {
    corner = ivec2(0, owner.y * slot_edge);
    index = owner.x;
    vec2 place = (position + vec2(corner)) / atlas;
    // Ranks are 0 to 255: the smallest passes the depth test.
    gl_Position = vec4(place * 2.0 - 1.0, (float(owner.z) + 0.5) / 128.0 - 1.0, 1.0);
}
