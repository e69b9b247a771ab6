#version 330 core
// What pixels own of pieces of their anchor where several outlines cover a cell, added to what they own already.

uniform isampler2D totals; // so far
uniform isampler2D counts;
uniform isampler2D centres; // (x, y) of pixels, as vertices of outlines
uniform isampler2D owners; // of cells, in the atlas of pieces
uniform isampler2D slots;  // by piece of the frame: its place in the atlas, or -1
uniform int piece;         // bits of the edge of a piece
uniform int across;        // pieces in a row of the atlas
layout(location = 0) out ivec4 total;
layout(location = 1) out int count;

#include "edges.glsl"

int owner(int r, int c) {
    int slot = texelFetch(slots, ivec2(c, r) >> piece, 0).r, inner = (1 << piece) - 1;
    if (slot < 0) return -1;
    return texelFetch(owners, (ivec2(slot % across, slot / across) << piece) + (ivec2(c, r) & inner), 0).r;
}

void main() {
    ivec2 here = ivec2(gl_FragCoord.xy);
    total = texelFetch(totals, here, 0);
    count = texelFetch(counts, here, 0).r;
    int told = int(texelFetch(about, here, 0).r);
    if ((told & BY_CELLS) == 0) return;
    int pixel = here.y * size.x + here.x, kind = told & 3;
    ivec2 low = kind == TANGLED ? texelFetch(centres, here, 0).xy : vertex(pixel, 0), high = low;
    for (int v = 0; v < vertices; v++) {
        low = min(low, vertex(pixel, v));
        high = max(high, vertex(pixel, v));
    }
    int left = clamp(low.x >> 8, 0, columns), right = clamp((high.x >> 8) + 1, 0, columns);
    for (int r = max(first_row(low.y), rows.x); r < min(first_row(high.y), rows.y); r++) {
        bool mine = false;
        for (int c = left; c <= right; c++) {
            bool next = c < right && owner(r, c) == pixel;
            if (next != mine) {
                int way = next ? -1 : 1;
                if (lanes > 0) total += way * sum_to(r, c);
                count += way * c;
                mine = next;
            }
        }
    }
}
