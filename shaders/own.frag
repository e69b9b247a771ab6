#version 330 core
// Who owns each sub-pixel: integer ids, the visible surface by the depth test, nothing outside the polygon's own slot.

uniform int slot_edge;
flat in int index;
flat in ivec2 corner;
out int id;

void main() {
    ivec2 inside = ivec2(gl_FragCoord.xy) - corner;
    if (any(lessThan(inside, ivec2(0))) || any(greaterThanEqual(inside, ivec2(slot_edge)))) discard;
    id = index;
}
