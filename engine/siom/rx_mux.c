/* SPDX-License-Identifier: BSD-2-Clause */
/* Rx MUX: whose Rx memory the bus Rx controller is to empty next. */

#include "private.h"

int cl_next_port(const uint64_t *words, unsigned int nr)
{
    unsigned int i, w;

    nr %= CL_SIOM_PORTS;
    for ( i = 0; i <= CL_SIOM_WORDS; i++ )
    {
        uint64_t v;

        w = (nr / 64 + i) % CL_SIOM_WORDS;
        v = load_acquire(&words[w]);
        if ( i == 0 )
            v &= ~0ULL << (nr % 64);
        if ( v )
            return (int)(w * 64 + (unsigned int)__builtin_ctzll(v));
    }

    return -1;
}

struct cl_port *cl_siom_rx_next(struct cl_siom *s, unsigned int *from)
{
    int nr = cl_next_port(s->rx_ready, *from);
    struct cl_port *port;

    if ( nr < 0 )
        return NULL;
    port = s->port[nr];
    bit_clear(s->rx_ready, (unsigned int)nr);
    *from = (unsigned int)nr + 1;

    return port;
}
