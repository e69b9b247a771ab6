#version 330 core
// The box of cells that an outline may cover of a piece of its anchor, drawn where that piece stands in the atlas.

uniform ivec2 atlas;  // its size in cells
in ivec4 box;         // first cell (x, y), and the one after the last, in the anchor frame
in ivec2 shift;       // from there to the atlas
in ivec2 claimant;    // pixel (flat index), or below 0 where nobody may own a cell; rank
flat out ivec2 moved;
flat out int pixel;

void main() {
    moved = shift;
    pixel = claimant.x;
    ivec2 corner = ivec2((gl_VertexID & 1) == 0 ? box.x : box.z, (gl_VertexID & 2) == 0 ? box.y : box.w);
    vec2 place = vec2(corner + shift) / vec2(atlas);
    // Ranks are 0 to 255: the smallest passes the depth test, and -1 before all others.
    gl_Position = vec4(place * 2.0 - 1.0, (float(claimant.y) + 1.5) / 129.0 - 1.0, 1.0);
}
