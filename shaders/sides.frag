#version 330 core
// What the right side (upper half of the target) and the lower side of every outline add up to, for both pixels they part.

layout(location = 0) out ivec4 total;
layout(location = 1) out int count;

#include "edges.glsl"

void main() {
    ivec2 here = ivec2(gl_FragCoord.xy);
    int side = here.y < size.y ? 1 : 2;
    here.y -= (side - 1) * size.y;
    int kind = int(texelFetch(about, here, 0).r) & 3;
    total = ivec4(0);
    count = 0;
    if (kind == KEEPS || kind == TURNS) walk_side(here.y * size.x + here.x, side, kind, total, count);
}
