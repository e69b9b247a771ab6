#version 330 core
// Who owns a contested cell: the pixel whose outline covers it, the visible surface by the depth test.

uniform isampler2D centres; // (x, y) of pixels, as vertices of outlines
flat in ivec2 moved;
flat in int pixel;
out int owner;

#include "edges.glsl"

// The column at which the edge from a to b crosses a row; false where it does not.
bool crosses(ivec2 a, ivec2 b, int row, out int column) {
    Edge e = b.y < a.y ? edge(b, a) : edge(a, b);
    if (row < e.begin || row >= e.end) return false;
    // floor((rest + i more) / dy) by 128 rows at a time, as 32 bits do not hold i more where edges are long.
    int i = row - e.begin, by = quotient(128 * e.more, e.dy), over = 128 * e.more - by * e.dy;
    int along = e.whole + i * e.stride + (i >> 7) * by + quotient(e.rest + (i & 127) * e.more + (i >> 7) * over, e.dy);
    column = clamp((along >> 8) + 1, 0, columns);
    return true;
}

// Whether the triangle of two vertices and the centre covers a cell.
bool in_triangle(ivec2 a, ivec2 b, ivec2 c, ivec2 cell) {
    int low = columns + 1, high = -1, column;
    if (crosses(a, b, cell.y, column)) { low = min(low, column); high = max(high, column); }
    if (crosses(b, c, cell.y, column)) { low = min(low, column); high = max(high, column); }
    if (crosses(c, a, cell.y, column)) { low = min(low, column); high = max(high, column); }
    return low <= cell.x && cell.x < high;
}

bool covers(ivec2 cell) {
    ivec2 place = ivec2(pixel % size.x, pixel / size.x);
    bool tangled = (int(texelFetch(about, place, 0).r) & 3) == TANGLED;
    ivec2 centre = texelFetch(centres, place, 0).xy, from = vertex(pixel, 0);
    bool odd = false;
    for (int v = 0; v < vertices; v++) {
        ivec2 to = vertex(pixel, v + 1 < vertices ? v + 1 : 0);
        int column;
        if (tangled) {
            if (in_triangle(from, to, centre, cell)) return true;
        } else if (crosses(from, to, cell.y, column) && column <= cell.x) {
            odd = !odd; // between crossings, two by two
        }
        from = to;
    }
    return odd;
}

void main() {
    if (pixel >= 0 && !covers(ivec2(gl_FragCoord.xy) - moved)) discard;
    owner = pixel;
}
