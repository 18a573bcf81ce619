/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Consoles of guests when dom0 is gone.
 *
 * Linux's console driver waits, in a loop and for ever, for room in the ring
 * that dom0's console daemon used to empty.  Xen empties it instead, into its
 * own log: at the level of guests' messages, so that by default nothing of it
 * is seen (guest_loglvl=all shows it).
 */

#include <xen/ctype.h>
#include <xen/domain_page.h>
#include <xen/init.h>
#include <xen/timer.h>

#include <asm/p2m.h>

#include <public/hvm/params.h>
#include <public/io/console.h>

#include "private.h"

#define PERIOD  MILLISECS(50)

static struct timer timer;

/* Text between ring and log; used by the timer alone. */
static char text[sizeof(((struct xencons_interface *)NULL)->out) + 1];

/*
 * How much of text[0 .. size) to take: whole lines, or everything when the
 * ring is rather full.  What is left comes with the rest of its line.
 */
static unsigned int whole_lines(unsigned int size)
{
    unsigned int n = size;

    while ( n && text[n - 1] != '\n' )
        n--;

    return n || size < sizeof(text) / 2 ? n : size;
}

static void print_lines(const struct domain *d, unsigned int size)
{
    unsigned int i, start = 0;

    for ( i = 0; i < size; i++ )
    {
        if ( text[i] != '\n' )
        {
            /* Nobody's terminal is the guest's to control. */
            if ( !isprint(text[i]) )
                text[i] = text[i] == '\r' ? ' ' : '?';
            continue;
        }
        text[i] = '\0';
        guest_printk(d, XENLOG_G_DEBUG "%s\n", text + start);
        start = i + 1;
    }

    text[size] = '\0';
    if ( start < size )
        guest_printk(d, XENLOG_G_DEBUG "%s\n", text + start);
}

/* The guest may write to the ring at any time: what counts is read once. */
static void empty_ring(const struct domain *d, struct xencons_interface *ring)
{
    XENCONS_RING_IDX cons = ACCESS_ONCE(ring->out_cons);
    unsigned int i, size = ACCESS_ONCE(ring->out_prod) - cons;

    if ( !size || size > sizeof(ring->out) )
        return;

    smp_rmb();
    for ( i = 0; i < size; i++ )
        text[i] = ring->out[MASK_XENCONS_IDX(cons + i, ring->out)];

    size = whole_lines(size);
    print_lines(d, size);
    smp_mb();
    ACCESS_ONCE(ring->out_cons) = cons + size;
}

/* Of a sealed domain it is what it was at the seal, whatever dom0 set since. */
static unsigned long ring_gfn(const struct domain *d)
{
    if ( !is_hvm_domain(d) )
        return 0;

    return cloister_sealed(d) ? d->arch.cloister->ring[0].gfn
                              : d->arch.hvm.params[HVM_PARAM_CONSOLE_PFN];
}

static void keep_console(struct domain *d)
{
    unsigned long gfn = ring_gfn(d);
    struct page_info *pg = NULL;
    p2m_type_t t;

    if ( gfn )
        pg = get_page_from_gfn(d, gfn, &t, P2M_ALLOC);
    if ( !pg )
        return;

    if ( t == p2m_ram_rw && get_page_type(pg, PGT_writable_page) )
    {
        void *ring = __map_domain_page(pg);

        empty_ring(d, ring);
        unmap_domain_page(ring);
        put_page_type(pg);
    }
    put_page(pg);
}

static void cf_check keep_consoles(void *unused)
{
    struct domain *d;

    rcu_read_lock(&domlist_read_lock);
    for_each_domain ( d )
        if ( !is_hardware_domain(d) && !d->is_dying )
            keep_console(d);
    rcu_read_unlock(&domlist_read_lock);

    set_timer(&timer, NOW() + PERIOD);
}

void cloister_keep_consoles(void)
{
    set_timer(&timer, NOW() + PERIOD);
}

static int __init cf_check orphans_init(void)
{
    init_timer(&timer, keep_consoles, NULL, 0);

    return 0;
}
__initcall(orphans_init);
