/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's network card against a guest that does whatever the input says:
 * configuration space, both BARs, its own memory, doorbells, saved states of
 * its making.  It must get no further than its own port: another guest has a
 * neighbour whose frames arrive, and whatever the state, it can be saved.
 *
 * Sources: siom/bus_rx.c siom/bus_tx.c siom/checksum.c siom/device_rx.c siom/device_tx.c siom/guest.c siom/memory.c siom/msix.c siom/net.c siom/pci.c siom/queue.c siom/rx_demux.c siom/rx_mux.c siom/save.c siom/siom.c siom/tx_demux.c siom/tx_mux.c siom/virtio.c /tests/unit/model_guest.c
 * Runs: 2000
 */
#include "input.h"

#include "model_guest.h"

#define FEATURES (1ull << 32 | 1ull << 15 | 1ull << 29 | 3)

static struct cl_siom siom;
static struct guest bad, good, peer;
static struct input in;

/* Mostly where rings and buffers are. */
static void poke(void)
{
    uint32_t addr = take32(&in) % (GUEST_BYTES - 32);
    uint8_t len = take8(&in) % 32 + 1;

    take(&in, bad.mem + addr, len);
}

static void queues(void)
{
    uint8_t budget = take8(&in) % 64 + 1;
    struct cl_port *port;
    unsigned int from = 0;

    (void)cl_siom_tx_quiet(&bad.port, budget & 1);
    cl_siom_tx(&bad.port, budget);
    cl_siom_ctrl(&bad.port);
    cl_siom_poll(&siom, budget);
    while ( (port = cl_siom_rx_next(&siom, &from)) != NULL )
        MUST(cl_siom_rx(port, budget) <= budget);
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    in = (struct input){data, size};
    memset(&siom, 0, sizeof(siom));
    cl_siom_init(&siom, &guest_platform, NULL, 0);
    MUST(guest_start(&bad, &siom, 1, NULL));
    MUST(guest_start(&good, &siom, 2, NULL));
    MUST(guest_start(&peer, &siom, 3, NULL));
    MUST(guest_driver(&good, 1ull << 32) && guest_driver(&peer, 1ull << 32));
    guest_driver(&bad, FEATURES);
    while ( in.left )
        step();
    queues();
    others();
    guest_stop(&bad);
    guest_stop(&good);
    guest_stop(&peer);
    MUST(!bad.held && !good.held && !peer.held);

    return 0;
}
