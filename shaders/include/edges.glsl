// Edges of outlines and the rows of cells that they cross: the whole numbers of gpu/noise/edges_compiled.py, in 32 bits.
//
// Vertices count in steps of 1/256 cell. What is multiplied stays below 2^31 where edges reach across less than 2^22 steps,
// which gpu/noise/edges_gl.py sees to.

const int NOTHING = 0, KEEPS = 1, TURNS = 2, TANGLED = 3;  // what an outline is like: the lowest bits of `about`
const int BY_CELLS = 64;  // a bit of `about`: the pixel's cells are looked at one by one

uniform usampler2D about;  // by pixel: the kind, 4 << side where it is shared, BY_CELLS
uniform isampler2D shapes; // x and y of vertices of pixels, one number after the other in rows of the texture
uniform ivec4 strides;     // from one vertex, axis, row and column of pixels to the next
uniform isampler2D sums;   // of cells along their rows, see gpu/noise/prefix_sums.py
uniform int wide;          // bits of the width of these two
uniform ivec2 size;        // of the frame
uniform int vertices;      // of an outline
uniform int level;         // of cells
uniform int columns;       // of cells in a row of the frame
uniform ivec2 rows;        // the first that is there, and the one after the last
uniform int lanes;         // channels in `sums`; 0 where cells are only counted

ivec2 vertex(int pixel, int v) {
    int row = pixel / size.x, x = v * strides.x + row * strides.z + (pixel - row * size.x) * strides.w, y = x + strides.y;
    int last = (1 << wide) - 1;
    return ivec2(
        texelFetch(shapes, ivec2(x & last, x >> wide), 0).r, texelFetch(shapes, ivec2(y & last, y >> wide), 0).r
    );
}

// The sum of the first c cells of row r.
ivec4 sum_to(int r, int c) {
    int at = ((((r - rows.x) >> level) * (columns + 1) + c) << level) + (r & ((1 << level) - 1));
    return texelFetch(sums, ivec2(at & ((1 << wide) - 1), at >> wide), 0);
}

// The first row whose centre is at or below y.
int first_row(int y) {
    return (y + 127) >> 8;
}

// floor(a / b), b > 0. A rounded quotient leaves a rest, the quotient of which is off by one at the most; hardware divides
// whole numbers far more slowly.
int quotient(int a, int b) {
    float divisor = float(b);
    int whole = int(floor(float(a) / divisor));
    whole += int(floor(float(a - whole * b) / divisor));
    int rest = a - whole * b;
    return whole + (rest >= b ? 1 : rest < 0 ? -1 : 0);
}

// Where an edge goes: in row `begin` + i it is at (whole + i * stride + (rest + i * more) / dy) >> 8.
struct Edge {
    int begin, end, whole, rest, stride, more, dy;
};

Edge edge(ivec2 a, ivec2 b) {
    int dx = b.x - a.x, dy = b.y - a.y, begin = first_row(a.y);
    Edge made = Edge(begin, first_row(b.y), 0, 0, 0, 0, dy);
    if (begin < made.end) {
        int q = ((begin << 8) + 128 - a.y) * dx - 1;
        made.whole = quotient(q, dy);
        made.rest = q - made.whole * dy;
        made.stride = quotient(dx << 8, dy);
        made.more = (dx << 8) - made.stride * dy;
        made.whole += a.x - 128;
    }
    return made;
}

// Add what the edge from a to b adds up to where it crosses rows, and the columns where it does.
void walk(ivec2 a, ivec2 b, int sign_, inout ivec4 total, inout int count) {
    bool up = b.y < a.y;
    int begin = first_row(min(a.y, b.y)), below = first_row(max(a.y, b.y));
    if (begin >= below || begin >= rows.y || below <= rows.x) return;
    Edge e = up ? edge(b, a) : edge(a, b);
    int end = min(e.end, rows.y), number = 0;
    ivec4 added = ivec4(0);
    for (int r = e.begin; r < end; r++) {
        if (r >= rows.x) {
            int c = clamp((e.whole >> 8) + 1, 0, columns);
            number += c;
            if (lanes > 0) added += sum_to(r, c);
        }
        e.whole += e.stride;
        e.rest += e.more;
        if (e.rest >= e.dy) {
            e.rest -= e.dy;
            e.whole++;
        }
    }
    int way = up ? -sign_ : sign_;
    total += way * added;
    count += way * number;
}

// The same for one side of an outline, 0 the top and so on clockwise.
void walk_side(int pixel, int side, int kind, inout ivec4 total, inout int count) {
    int each = vertices / 4;
    ivec2 from = vertex(pixel, side * each);
    for (int v = side * each; v < (side + 1) * each; v++) {
        ivec2 to = vertex(pixel, v + 1 < vertices ? v + 1 : 0);
        walk(from, to, kind == KEEPS ? 1 : -1, total, count);
        from = to;
    }
}
