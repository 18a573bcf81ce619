/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's network card against a guest that does whatever the input says:
 * configuration space, both BARs, its own memory, doorbells, saved states of
 * its making.  It must get no further than its own port:
 *
 *   memory      after each step: what was written to its memory lies in a used
 *               ring, or in a buffer that was posted for that
 *   bounds      no call does more than its budget, nor writes to the device's
 *               side of the port
 *   saved       after each step: its state can be saved, and is taken again
 *   neighbours  at the end: another guest has one whose frames arrive, and no
 *               page is held
 *
 * Sources: siom/*.c /tests/unit/model_guest.c /tests/unit/watch_guest.c
 * Runs: 4000
 */
#include <stddef.h>

#include "input.h"

#include "watch_guest.h"

#define FEATURES (1ull << 32 | 1ull << 15 | 1ull << 29 | 3)

static struct cl_siom siom;
static struct guest bad, good, peer, spare;
static struct input in;
static struct watch watch;

/* Mostly where rings and buffers are. */
static void poke(void)
{
    uint32_t addr = take32(&in) % (GUEST_BYTES - 32);
    uint8_t len = take8(&in) % 32 + 1;

    take(&in, bad.mem + addr, len);
}

/*
 * The guest's side of a port has nothing to do with the device's side, which
 * comes next in it: what is beyond an array is seen that way.
 */
static void bus(uint8_t budget)
{
    struct cl_port *port = &bad.port;
    uint8_t was[offsetof(struct cl_port, tx) -
                offsetof(struct cl_port, deficit)];

    memcpy(was, (uint8_t *)port + offsetof(struct cl_port, deficit),
           sizeof(was));
    (void)cl_siom_tx_quiet(port, budget & 1);
    MUST(cl_siom_tx(port, budget) <= budget);
    cl_siom_ctrl(port);
    MUST(!memcmp(was, (uint8_t *)port + offsetof(struct cl_port, deficit),
                 sizeof(was)));
}

static void queues(void)
{
    uint8_t budget = take8(&in) % 64 + 1;
    struct cl_port *port;
    unsigned int from = 0;

    watch_look(&watch, &bad);
    bus(budget);
    cl_siom_poll(&siom, budget);
    while ( (port = cl_siom_rx_next(&siom, &from)) != NULL )
        MUST(cl_siom_rx(port, budget) <= budget);
    MUST(watch_clean(&watch));
}

/* Whatever it has made of itself, another port can go on from there. */
static void saved(void)
{
    struct cl_siom_saved state, again;

    cl_siom_save(&bad.port, &state);
    MUST(!cl_siom_load(&spare.port, &state));
    cl_siom_save(&spare.port, &again);
    memcpy(again.mac, state.mac, sizeof(again.mac));
    MUST(!memcmp(&again, &state, sizeof(state)));
}

static void reload(void)
{
    struct cl_siom_saved saved;

    cl_siom_save(&bad.port, &saved);
    while ( take8(&in) & 1 )
        ((uint8_t *)&saved)[take32(&in) % sizeof(saved)] ^= take8(&in);
    (void)cl_siom_load(&bad.port, &saved);
}

static void step(void)
{
    static const uint8_t sizes[] = {1, 2, 4, 8};
    uint8_t what = take8(&in), size = sizes[what >> 6];
    uint32_t v;
    int q;

    switch ( what & 15 )
    {
    case 0:
        guest_cfg_write(&bad, 8, take8(&in), take32(&in));
        break;
    case 1:
        cl_siom_io_write(&bad.port, (uint16_t)take32(&in), size & 7 ? size : 4,
                         take32(&in), &q);
        MUST(q >= -1 && q < (int)CL_QUEUES);
        break;
    case 2:
        cl_siom_io_read(&bad.port, (uint16_t)take32(&in), size & 7 ? size : 4, &v);
        break;
    case 3:
        cl_siom_mem_write(&bad.port, take32(&in) % CL_SIOM_BAR_SIZE, size,
                          take32(&in));
        break;
    case 4:
        cl_siom_mem_read(&bad.port, take32(&in) % CL_SIOM_BAR_SIZE, size);
        break;
    case 5:
        guest_mem_write(&bad, 20 + take8(&in) % 36, size, take8(&in));
        break;
    case 6:
        bad.generation++;
        break;
    case 7:
        reload();
        break;
    case 8:
        guest_driver(&bad, FEATURES);
        guest_fill(&bad, 16, 300);
        break;
    case 9:
    case 10:
        queues();
        break;
    default:
        poke();
        break;
    }
}

/* A frame of the two others arrives as it was sent; bad's may come before. */
static void others(void)
{
    struct guest *const pair[] = {&good, &peer};
    uint8_t f[100] = {2, 0, 0, 0, 0, 3, 2, 0, 0, 0, 0, 2, 8, 0};
    uint32_t len;
    unsigned int i;
    int d;

    guest_offer(&good, NULL, f, sizeof(f));
    for ( i = 0; i < 1000; i++ )
    {
        guest_fill(&peer, 1, 1024);
        cl_siom_rx(&peer.port, 64); /* it rings */
        guest_run(&siom, pair, 2);
        d = guest_used(&peer, CL_QUEUE_RX, &len);
        MUST(d >= 0);
        if ( !memcmp(peer.mem + guest_desc_addr(&peer, 0, d) + 12, f,
                     sizeof(f)) )
            return;
    }
    MUST(false);
}

/* Memory is the same for all inputs: to get it takes longer than the rest. */
static bool plug(struct guest *g, uint8_t nr)
{
    if ( !g->mem )
    {
        g->mem = aligned_alloc(4096, GUEST_BYTES);
        g->port.tx.base = aligned_alloc(64, GUEST_RINGS);
        g->port.rx.base = aligned_alloc(64, GUEST_RINGS);
    }

    return guest_plug(g, &siom, nr, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    in = (struct input){data, size};
    memset(&siom, 0, sizeof(siom));
    cl_siom_init(&siom, &guest_platform, NULL, 0);
    MUST(plug(&bad, 1) && plug(&good, 2) && plug(&peer, 3));
    MUST(guest_driver(&good, 1ull << 32) && guest_driver(&peer, 1ull << 32));
    MUST(plug(&spare, 4));
    guest_driver(&bad, FEATURES);
    while ( in.left )
    {
        step();
        saved();
    }
    queues();
    others();
    guest_unplug(&bad);
    guest_unplug(&good);
    guest_unplug(&peer);
    guest_unplug(&spare);
    MUST(!bad.held && !good.held && !peer.held && !spare.held);

    return 0;
}
