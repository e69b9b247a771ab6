#version 330 core
// Mean of the free sub-pixel draws of each pixel: what conditional sampling subtracts (gpu/noise/field.py).

uniform uint plane;
uniform ivec2 origin; // (x, y) of the target's first pixel
uniform int n;        // sub-pixels a side of a pixel
out float mean;

#include "hash.glsl"

void main() {
    ivec2 first = (origin + ivec2(gl_FragCoord.xy)) * n;
    float sum = 0.0;
    for (int y = 0; y < n; y++)
        for (int x = 0; x < n; x++)
            sum += gaussian(hash_word(plane, uint(first.x + x), uint(first.y + y)));
    mean = sum / float(n * n);
}
