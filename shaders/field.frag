#version 330 core
// The fine field: a cell of level `levels`, by halving its pixel in x and in y in turn (gpu/noise/field.py).

uniform uint planes[28];    // by halving: the plane of its normals
uniform float spreads[28];  // and the root of the area that is halved, in the steps that cells are counted in
uniform ivec2 origin;       // (x, y) of the target's first cell
uniform int levels;
uniform isampler2D values;  // pixel values, one texel a pixel
out int cell;

#include "hash.glsl"

// The first half of a cell of value `whole`.
int first_half(int whole, uint plane, float spread, ivec2 place) {
    float normal = gaussian(hash_word(plane, uint(place.x), uint(place.y)));
    return (whole + int(roundEven(normal * spread))) >> 1;
}

void main() {
    ivec2 here = ivec2(gl_FragCoord.xy);
    ivec2 place = origin + here;
    int value = texelFetch(values, here >> levels, 0).r;
    for (int level = 0; level < levels; level++) {
        ivec2 parent = place >> (levels - level), child = place >> (levels - level - 1);
        int left = first_half(value, planes[2 * level], spreads[2 * level], parent);
        value = (child.x & 1) == 0 ? left : value - left;
        int upper = first_half(value, planes[2 * level + 1], spreads[2 * level + 1], ivec2(child.x, parent.y));
        value = (child.y & 1) == 0 ? upper : value - upper;
    }
    cell = value;
}
