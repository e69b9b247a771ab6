#version 330 core
// Hash words of a rectangle of one plane, as integers.

uniform uint plane;
uniform ivec2 origin; // (x, y) of the target's first texel
out uint word;

#include "hash.glsl"

void main() {
    ivec2 place = origin + ivec2(gl_FragCoord.xy);
    word = hash_word(plane, uint(place.x), uint(place.y));
}
