#version 330 core
// The fine field: w = x / N + (Z - mean Z) / sqrt(N), N = n n (paper: Eq. 3).

uniform uint plane;
uniform ivec2 origin;       // (x, y) of the target's first sub-pixel
uniform int n;              // sub-pixels a side of a pixel
uniform sampler2D values;   // pixel values, one texel a pixel
uniform sampler2D means;    // means of the free draws, one texel a pixel
out float fine;

#include "hash.glsl"

void main() {
    ivec2 here = ivec2(gl_FragCoord.xy);
    ivec2 place = origin + here;
    float free = gaussian(hash_word(plane, uint(place.x), uint(place.y)));
    float x = texelFetch(values, here / n, 0).r;
    fine = x / float(n * n) + (free - texelFetch(means, here / n, 0).r) / float(n);
}
