#version 330 core
// What every pixel owns by its edges, added to what it owns already.

uniform isampler2D totals;    // so far
uniform isampler2D counts;
uniform isampler2D sides;     // what sides.frag gave
uniform isampler2D crossings;
layout(location = 0) out ivec4 total;
layout(location = 1) out int count;

#include "edges.glsl"

void take(ivec2 place, int sign_) {
    total += sign_ * texelFetch(sides, place, 0);
    count += sign_ * texelFetch(crossings, place, 0).r;
}

void main() {
    ivec2 here = ivec2(gl_FragCoord.xy);
    total = texelFetch(totals, here, 0);
    count = texelFetch(counts, here, 0).r;
    int told = int(texelFetch(about, here, 0).r), kind = told & 3;
    if (kind == NOTHING || kind == TANGLED || (told & BY_CELLS) != 0) return;
    int pixel = here.y * size.x + here.x;
    take(here, 1);
    take(here + ivec2(0, size.y), 1);
    // Shared sides have been walked by the neighbour, whose kind is the same.
    if ((told & 4) != 0) take(here + ivec2(0, size.y - 1), -1);
    else walk_side(pixel, 0, kind, total, count);
    if ((told & 32) != 0) take(here - ivec2(1, 0), -1);
    else walk_side(pixel, 3, kind, total, count);
}
