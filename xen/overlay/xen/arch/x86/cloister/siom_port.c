/* SPDX-License-Identifier: GPL-2.0-only */
/* Secure I/O management: a guest's bus, and its memory. */

#include <xen/domain_page.h>
#include <xen/percpu.h>
#include <xen/softirq.h>

#include <asm/hvm/io.h>
#include <asm/hvm/irq.h>
#include <asm/hvm/support.h>
#include <asm/paging.h>

#include "siom.h"

#define BUDGET          64
#define WINDOW          MILLISECS(1)
#define OFTEN           16      /* doorbells in that time: it is polled */
#define SELDOM          4       /* frames in a poll: it is no longer */
#define MEMORY_ORDER    get_order_from_bytes(KB(128))

/* The VM that runs on this CPU: whose bus an access is for. */
static DEFINE_PER_CPU(struct cloister_port *, running);

/* It is in the middle of a string instruction. */
static DEFINE_PER_CPU(bool, repeats);

struct cloister_port *cloister_siom_port(const struct domain *d)
{
    return d->arch.cloister ? d->arch.cloister->siom : NULL;
}

void cloister_siom_switch(const struct domain *next)
{
    this_cpu(running) = cloister_siom_port(next);
}

/* ---- Guest memory ------------------------------------------------------ */

/* The guest's own RAM, and not a page that Xen itself writes to. */
static bool usable(const struct domain *d, const struct page_info *pg,
                   p2m_type_t t, bool write)
{
    return page_get_owner(pg) == d && !is_special_page(pg) &&
           (t == p2m_ram_rw || t == p2m_ram_logdirty ||
            (t == p2m_ram_ro && !write));
}

static void *cf_check page_get(void *vm, uint64_t gfn, bool write)
{
    struct cloister_port *cp = vm;
    struct page_info *pg;
    p2m_type_t t;
    void *va;

    if ( gfn > p2m_get_hostp2m(cp->d)->max_mapped_pfn )
        return NULL;
    pg = get_page_from_gfn(cp->d, gfn, &t, P2M_ALLOC);
    if ( !pg )
        return NULL;
    va = usable(cp->d, pg, t, write) ? __map_domain_page_global(pg) : NULL;
    if ( !va )
        put_page(pg);

    return va;
}

static void cf_check page_put(void *vm, void *va)
{
    struct page_info *pg = mfn_to_page(domain_page_map_to_mfn(va));

    unmap_domain_page_global(va);
    put_page(pg);
}

static uint32_t cf_check generation(void *vm)
{
    const struct cloister_port *cp = vm;

    return read_atomic(&cp->generation);
}

/*
 * A guest that has suspended itself in the middle of this may be saved already:
 * what was read of the page is old then.
 */
static void cf_check dirtied(void *vm, uint64_t gfn)
{
    struct cloister_port *cp = vm;

    smp_mb();
    if ( unlikely(paging_mode_log_dirty(cp->d)) ||
         unlikely(cp->d->is_shut_down) )
        paging_mark_pfn_dirty(cp->d, _pfn(gfn));
}

static void cf_check msi(void *vm, uint64_t address, uint32_t data)
{
    struct cloister_port *cp = vm;

    hvm_inject_msi(cp->d, address, data);
}

static uint64_t cf_check now_ns(void)
{
    return NOW();
}

const struct cl_siom_platform cloister_siom_platform = {
    .page_get = page_get,
    .page_put = page_put,
    .generation = generation,
    .dirtied = dirtied,
    .msi = msi,
    .now_ns = now_ns,
};

/* After the change, so that whoever sees the new number sees the new map. */
void cloister_p2m_changed(struct domain *d)
{
    struct cloister_port *cp = cloister_siom_port(d);

    if ( cp )
        add_sized(&cp->generation, 1);
}

/* ---- Frames ------------------------------------------------------------ */

/* Its memory may be used: somebody may be saving it otherwise. */
static bool runs(const struct cloister_port *cp)
{
    const struct domain *d = cp->d;

    return cp->active && !d->is_dying && !d->is_shut_down &&
           !d->controller_pause_count;
}

/*
 * With device_lock held nobody waits for a guest's work on its own queues: it
 * is come back to.
 */
unsigned int cloister_port_deliver(struct cloister_port *cp, bool *paused)
{
    unsigned int n = 0;

    *paused = false;
    if ( !spin_trylock(&cp->lock) )
    {
        set_bit(cp->port.nr, cloister_siom->rx_ready);
        return 0;
    }
    *paused = !runs(cp);
    if ( !*paused )
        n = cl_siom_rx(&cp->port, BUDGET);
    spin_unlock(&cp->lock);

    return n;
}

unsigned int cloister_port_collect(struct cloister_port *cp,
                                   unsigned int budget, bool *paused)
{
    unsigned int n = 0;

    *paused = false;
    if ( !spin_trylock(&cp->lock) )
        return budget;
    *paused = !runs(cp);
    if ( !*paused )
        n = cl_siom_tx(&cp->port, budget);
    if ( !*paused && cp->polled && n < SELDOM )
    {
        *paused = !cl_siom_tx_quiet(&cp->port, false);
        cp->polled = *paused;
        n += cl_siom_tx(&cp->port, budget);
    }
    spin_unlock(&cp->lock);

    return n;
}

/* An exit for each frame costs more than looking once for many. */
static bool rings_often(struct cloister_port *cp)
{
    const s_time_t now = NOW();

    if ( now - cp->window > WINDOW )
    {
        cp->window = now;
        cp->rung = 0;
    }

    return ++cp->rung >= OFTEN;
}

static void doorbell(struct cloister_port *cp, unsigned int q)
{
    unsigned int n = 0;
    bool poll = false;

    cp->port.stats.doorbells++;
    switch ( q )
    {
    case CL_QUEUE_RX:
        if ( cl_siom_rx(&cp->port, BUDGET) == BUDGET )
            cloister_siom_kick();
        break;

    case CL_QUEUE_TX:
        poll = rings_often(cp) && !cp->polled &&
               cl_siom_tx_quiet(&cp->port, true);
        cp->polled |= poll;
        n = cl_siom_tx(&cp->port, BUDGET);
        break;

    case CL_QUEUE_CTRL:
        cl_siom_ctrl(&cp->port);
        break;
    }
    spin_unlock(&cp->lock);

    if ( n == BUDGET )
        cloister_siom_again(cp);
    if ( poll )
        cloister_siom_poll(cp);
    if ( n || poll )
        cloister_siom_work();
}

/* ---- Ports ------------------------------------------------------------- */

static bool cf_check io_accept(const struct hvm_io_handler *handler,
                               const ioreq_t *p)
{
    const struct cloister_port *cp = this_cpu(running);

    this_cpu(repeats) = false;

    return cp && cp->d == current->domain && cp->active &&
           cl_siom_io_ours(&cp->port, p->addr, p->size);
}

static int cf_check io_read(const struct hvm_io_handler *handler,
                            uint64_t addr, uint32_t size, uint64_t *data)
{
    struct cloister_port *cp = this_cpu(running);
    uint32_t value = ~0;

    spin_lock(&cp->lock);
    if ( cp->active )
        cl_siom_io_read(&cp->port, addr, size, &value);
    spin_unlock(&cp->lock);
    *data = value;

    return X86EMUL_OKAY;
}

/* A string instruction may ring thousands of times; it is interrupted. */
static int cf_check io_write(const struct hvm_io_handler *handler,
                             uint64_t addr, uint32_t size, uint64_t data)
{
    struct cloister_port *cp = this_cpu(running);
    int q = -1;

    /* Never of the first one: hvmemul_do_io() would not know what to do. */
    if ( this_cpu(repeats) && softirq_pending(smp_processor_id()) )
        return X86EMUL_RETRY;
    this_cpu(repeats) = true;

    spin_lock(&cp->lock);
    if ( cp->active )
        cl_siom_io_write(&cp->port, addr, size, data, &q);
    if ( q >= 0 )
        doorbell(cp, q);        /* drops the lock */
    else
        spin_unlock(&cp->lock);

    return X86EMUL_OKAY;
}

static const struct hvm_io_ops io_ops = {
    .accept = io_accept,
    .read = io_read,
    .write = io_write,
};

/* ---- Memory ------------------------------------------------------------ */

static int cf_check mmio_check(struct vcpu *v, unsigned long addr)
{
    const struct cloister_port *cp = cloister_siom_port(v->domain);
    uint64_t base = cp && cp->active ? cl_siom_mem_base(&cp->port) : 0;

    return base && addr >= base && addr - base < CL_SIOM_BAR_SIZE;
}

static int cf_check mmio_read(struct vcpu *v, unsigned long addr,
                              unsigned int len, unsigned long *val)
{
    struct cloister_port *cp = cloister_siom_port(v->domain);

    *val = ~0UL;
    spin_lock(&cp->lock);
    if ( cp->active )
        *val = cl_siom_mem_read(&cp->port, addr % CL_SIOM_BAR_SIZE, len);
    spin_unlock(&cp->lock);

    return X86EMUL_OKAY;
}

static int cf_check mmio_write(struct vcpu *v, unsigned long addr,
                               unsigned int len, unsigned long val)
{
    struct cloister_port *cp = cloister_siom_port(v->domain);

    spin_lock(&cp->lock);
    if ( cp->active )
        cl_siom_mem_write(&cp->port, addr % CL_SIOM_BAR_SIZE, len, val);
    spin_unlock(&cp->lock);

    return X86EMUL_OKAY;
}

static const struct hvm_mmio_ops mmio_ops = {
    .check = mmio_check,
    .read = mmio_read,
    .write = mmio_write,
};

/* ---- Life -------------------------------------------------------------- */

int cloister_siom_create(struct domain *d)
{
    struct cloister_domain *cd = d->arch.cloister;
    struct hvm_io_handler *handler;

    if ( !cd || !cloister_siom ||
         d->arch.emulation_flags != X86_EMU_LAPIC )
        return 0;

    cd->siom = xzalloc(struct cloister_port);
    if ( !cd->siom )
        return -ENOMEM;
    spin_lock_init(&cd->siom->lock);
    cd->siom->d = d;
    cd->siom->config.mtu = cloister_siom_opts.mtu;

    handler = hvm_next_io_handler(d);
    if ( handler )
    {
        handler->type = IOREQ_TYPE_PIO;
        handler->ops = &io_ops;
    }
    register_mmio_handler(d, &mmio_ops);

    return 0;
}

/* Unicast, locally administered, and the same whenever the UUID is. */
static void make_mac(struct cloister_port *cp)
{
    const uint8_t *h = cp->d->handle;
    unsigned int i;

    for ( i = 1; i < 6; i++ )
        cp->config.mac[i] = h[i - 1] ^ h[i + 4] ^ h[i + 9] ^ h[15];
    cp->config.mac[0] = 2;
}

static bool get_memory(struct cl_memory *m)
{
    if ( m->base )
        return true;
    m->size = PAGE_SIZE << MEMORY_ORDER;
    m->base = alloc_xenheap_pages(MEMORY_ORDER, 0);
    if ( !m->base )
        return false;
    memset(m->base, 0, m->size);

    return true;
}

static void put_memory(struct cl_memory *m)
{
    free_xenheap_pages(m->base, MEMORY_ORDER);
    m->base = NULL;
}

/* Before the guest's state is what it will be: nothing of it is used up yet. */
enum cloister_reason cloister_siom_prepare(struct domain *d)
{
    static const uint8_t none[6];
    struct cloister_port *cp = cloister_siom_port(d);

    if ( !cp || cp->active )
        return CLOISTER_WHY_none;
    if ( cp->saved )
        cl_siom_saved_config(cp->saved, &cp->config);
    if ( !memcmp(cp->config.mac, none, sizeof(none)) )
        make_mac(cp);
    if ( cloister_port_taken(cp) )
        return CLOISTER_WHY_net_address;

    return get_memory(&cp->port.tx) && get_memory(&cp->port.rx)
           ? CLOISTER_WHY_none : CLOISTER_WHY_net_memory;
}

enum cloister_reason cloister_siom_attach(struct domain *d)
{
    struct cloister_port *cp = cloister_siom_port(d);
    int rc;

    if ( !cp || cp->active )
        return CLOISTER_WHY_none;
    rc = cloister_port_join(cp) ?: cloister_siom_load(cp);
    if ( !rc )
        return CLOISTER_WHY_none;

    return rc == -EEXIST ? CLOISTER_WHY_net_address
         : rc == -EINVAL ? CLOISTER_WHY_net_state : CLOISTER_WHY_net_memory;
}

/* Nobody else may be left to ask for it. */
static void tell(const struct cloister_port *cp)
{
    const struct cl_siom_stats *s = &cp->port.stats;
    uint64_t lost = 0;
    unsigned int i;

    for ( i = 0; i < CL_DROPS; i++ )
        lost += s->drops[i];
    printk(XENLOG_G_WARNING
           "Cloister: %pd sent %lu frames, received %lu, %lu lost (%lu for"
           " want of room)\n", cp->d, s->tx_frames, s->rx_frames, lost,
           s->drops[CL_DROP_RX_FULL]);
}

void cloister_siom_detach(struct domain *d)
{
    struct cloister_port *cp = cloister_siom_port(d);

    if ( !cp )
        return;
    if ( cp->active )
        tell(cp);
    cloister_port_leave(cp);
    put_memory(&cp->port.tx);
    put_memory(&cp->port.rx);
}

static void wipe_memory(const struct cl_memory *m)
{
    if ( m->base )
        memset(m->base, 0, m->size);
}

void cloister_siom_wipe(const struct domain *d)
{
    const struct cloister_port *cp = cloister_siom_port(d);

    if ( !cp )
        return;
    wipe_memory(&cp->port.tx);
    wipe_memory(&cp->port.rx);
}

void cloister_siom_destroy(struct domain *d)
{
    struct cloister_port *cp = cloister_siom_port(d);

    if ( cp )
        xfree(cp->saved);
    XFREE(d->arch.cloister->siom);
}
