/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tx MUX: whose frame goes next.  Deficit round robin (Shreedhar and Varghese,
 * 1995): in its turn a port may send as many bytes as it has saved up, so that
 * ports with long frames get no more than those with short ones.  A port that
 * has a rate pays from a bucket of tokens, too.
 */

#include "private.h"

#define QUANTUM  1536u     /* bytes for each turn */
#define BURST_NS 10000000u /* a bucket holds what comes in 10 ms, */
#define NS       1000000000ull

/* but always a few frames. */
static uint64_t bucket(const struct cl_port *port)
{
    uint64_t bytes = port->config.rate / (NS / BURST_NS);

    return bytes > 4 * CL_SIOM_FRAME ? bytes : 4 * CL_SIOM_FRAME;
}

static void refill(struct cl_port *port, uint64_t now)
{
    uint64_t full = bucket(port), past = now - port->refilled;

    /* Past a second the bucket is full, and the product would overflow. */
    if ( past > NS )
        port->tokens = full;
    else
    {
        uint64_t more = past * port->config.rate / NS;

        if ( !more )
            return; /* let time add up */
        port->tokens += more;
    }
    port->refilled = now;
    if ( port->tokens > full )
        port->tokens = full;
}

static bool may_send(struct cl_port *port, uint32_t len, uint64_t now)
{
    if ( (int32_t)len > port->deficit )
        return false;
    if ( !port->config.rate )
        return true;
    refill(port, now);

    return len <= port->tokens;
}

/* A frame to many costs its sender what it costs the engine: a debt, mostly. */
static void pay(struct cl_port *port, uint32_t len, unsigned int copies)
{
    port->deficit -= (int32_t)(len * copies);
    if ( port->config.rate )
        port->tokens -= len;
}

/* The port's memory is empty: clear the flag, but look once more. */
static void rest(struct cl_port *port)
{
    port->deficit = port->deficit < 0 ? port->deficit : 0;
    bit_clear(port->siom->tx_ready, port->nr);
    if ( cl_memory_has(&port->tx) )
        bit_set(port->siom->tx_ready, port->nr);
}

/*
 * One port's turn, with which it may not be over when `budget` copies of its
 * frames have been made; returns how many were.
 */
static unsigned int turn(struct cl_port *port, unsigned int budget,
                         uint64_t now)
{
    const struct cl_frame *f;
    unsigned int n = 0;

    if ( !port->siom->interrupted )
        port->deficit += QUANTUM;
    port->siom->interrupted = false;
    while ( (f = cl_memory_peek(&port->tx)) != NULL )
    {
        uint32_t len = f->len, copies;

        if ( n >= budget )
        {
            port->siom->interrupted = true;
            return n;
        }
        if ( !may_send(port, len, now) )
            break;
        copies = cl_device_tx(port, f);
        if ( !copies )
            break;
        pay(port, len, copies);
        cl_memory_drop(&port->tx);
        n += copies;
    }
    if ( !f )
        rest(port);
    else if ( port->deficit > (int32_t)CL_SIOM_FRAME )
        port->deficit = CL_SIOM_FRAME; /* it waits for something else */

    return n;
}

/*
 * Ends with the budget, when nobody has a frame, or when everybody has had
 * enough turns in a row for a longest frame and could send none.
 */
unsigned int cl_tx_mux(struct cl_siom *s, unsigned int budget)
{
    unsigned int n = 0, idle = 0;
    const unsigned int enough = s->ports * (CL_SIOM_FRAME / QUANTUM + 2);
    uint64_t now = s->platform->now_ns();

    while ( n < budget && idle < enough )
    {
        int nr = cl_next_port(s->tx_ready, s->last + !s->interrupted);
        unsigned int sent;

        if ( nr < 0 )
            break;
        s->interrupted &= s->last == (unsigned int)nr;
        s->last = (unsigned int)nr;
        sent = turn(s->port[nr], budget - n, now);
        n += sent;
        idle = sent ? 0 : idle + 1;
    }

    return n;
}
