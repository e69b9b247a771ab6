// Counter-based randomness, the twin of gpu/noise/rng.py: the same 32-bit words, Gaussians within 1e-4.

uint mix_word(uint word) {
    word ^= word >> 16;
    word *= 0x7FEB352Du;
    word ^= word >> 15;
    word *= 0x846CA68Bu;
    return word ^ (word >> 16);
}

// The word of plane `plane` (its key) at column x and row y.
uint hash_word(uint plane, uint x, uint y) {
    uint row = mix_word(mix_word(y + 0x9E3779B9u) ^ plane);
    uint column = mix_word(x + 0x85EBCA6Bu);
    return mix_word(row ^ column);
}

// Inverse normal distribution; polynomials of Giles 2010, "Approximating the erfinv function".
float gaussian(uint word) {
    float p = (float(word & 0x7FFFFFFFu) + 0.5) * exp2(-32.0);
    float w = -log(4.0 * ((1.0 - p) * p));
    float f;
    if (w < 5.0) {
        w -= 2.5;
        f = 2.81022636e-08;
        f = f * w + 3.43273939e-07;
        f = f * w - 3.5233877e-06;
        f = f * w - 4.39150654e-06;
        f = f * w + 0.00021858087;
        f = f * w - 0.00125372503;
        f = f * w - 0.00417768164;
        f = f * w + 0.246640727;
        f = f * w + 1.50140941;
    } else {
        w = sqrt(w) - 3.0;
        f = -0.000200214257;
        f = f * w + 0.000100950558;
        f = f * w + 0.00134934322;
        f = f * w - 0.00367342844;
        f = f * w + 0.00573950773;
        f = f * w - 0.0076224613;
        f = f * w + 0.00943887047;
        f = f * w + 1.00167406;
        f = f * w + 2.83297682;
    }
    float value = f * (1.0 - 2.0 * p) * sqrt(2.0);
    return (word & 0x80000000u) != 0u ? -value : value;
}
