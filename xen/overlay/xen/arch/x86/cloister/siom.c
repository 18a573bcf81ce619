/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Secure I/O management: the engine inside Xen.
 *
 * Work is done where it comes up: a guest's doorbell takes its frames, passes
 * them on, and fills the other guest's queue, all before the guest goes on.
 * What is left over (budget, a busy lock) is for a softirq tasklet, and what
 * must wait (rate caps, a paused guest) for a timer.  A guest that rings often
 * is asked not to, and the timer looks instead, until there is little to see.
 */

#include <xen/init.h>
#include <xen/param.h>
#include <xen/tasklet.h>
#include <xen/timer.h>

#include "siom.h"
#include "siom_nic.h"

#define BUDGET      64          /* frames for each piece of work */
#define WORK        (4 * BUDGET)        /* of all ports together */
#define ROUNDS      8           /* of these in a row by the tasklet */
#define PERIOD      MICROSECS(200)
#define POLL        MICROSECS(100)
#define PAUSED      MILLISECS(5)

struct cloister_siom_options __ro_after_init cloister_siom_opts = {
    .mtu = 1500,
};
struct cl_siom *__ro_after_init cloister_siom;

static DEFINE_SPINLOCK(device_lock);
static DECLARE_BITMAP(again, CL_SIOM_PORTS);     /* Tx queues to look at, */
static DECLARE_BITMAP(polled, CL_SIOM_PORTS);    /* and when the timer expires */
static DECLARE_BITMAP(waiting, CL_SIOM_PORTS);   /* under device_lock */
static struct timer timer;
/* Of the tasklet's, since it last came to an end or the timer expired: a
 * doorbell does not begin them anew, or another processor's doorbells could
 * hold this one's softirqs for good.  Under device_lock. */
static unsigned int rounds;

static bool __init parse_where(const char *s, const char *end)
{
    unsigned int seg, bus, dev, fn;

    cloister_siom_opts.on = true;
    if ( !cmdline_strcmp(s, "internal") )
    {
        cloister_siom_opts.internal = true;
        return true;
    }
    if ( parse_pci(s, &seg, &bus, &dev, &fn) != end )
        return false;
    cloister_siom_opts.nic = PCI_SBDF(seg, bus, dev, fn);

    return true;
}

/* siom=internal|SBDF[,vlan=N][,mtu=N] */
static int __init cf_check parse_siom(const char *s)
{
    const char *ss;
    bool first = true;
    int rc = 0;

    do {
        ss = strchr(s, ',');
        if ( !ss )
            ss = strchr(s, '\0');

        if ( first )
            rc = parse_where(s, ss) ? rc : -EINVAL;
        else if ( !strncmp(s, "vlan=", 5) )
            cloister_siom_opts.vlan = simple_strtoul(s + 5, &s, 10);
        else if ( !strncmp(s, "mtu=", 4) )
            cloister_siom_opts.mtu = simple_strtoul(s + 4, &s, 10);
        else
            rc = -EINVAL;

        first = false;
        s = ss + 1;
    } while ( *ss );

    return rc;
}
custom_param("siom", parse_siom);

/* ---- Work -------------------------------------------------------------- */

static struct cloister_port *port_of(struct cl_port *p)
{
    return container_of(p, struct cloister_port, port);
}

static unsigned int deliver_to(struct cl_port *p)
{
    bool paused;
    unsigned int n = cloister_port_deliver(port_of(p), &paused);

    if ( paused )
        __set_bit(p->nr, waiting);

    return n;
}

/* Who did not get a turn is the first one the next time. */
static unsigned int deliver(void)
{
    static unsigned int from;
    struct cl_port *p;
    unsigned int n = 0, i;

    for ( i = 0; i < cloister_siom->ports && n < WORK &&
                 (p = cl_siom_rx_next(cloister_siom, &from)) != NULL; i++ )
        n += deliver_to(p);

    return n;
}

/* Who was paused, and could neither take frames nor have any taken. */
static void retry_waiting(void)
{
    unsigned int nr;

    for ( nr = find_first_bit(waiting, CL_SIOM_PORTS); nr < CL_SIOM_PORTS;
          nr = find_next_bit(waiting, CL_SIOM_PORTS, nr + 1) )
    {
        struct cl_port *p = cloister_siom->port[nr];

        __clear_bit(nr, waiting);
        set_bit(nr, again);
        if ( p )
            deliver_to(p);
    }
}

/* In this time, if not sooner. */
static void arm_timer(s_time_t period)
{
    s_time_t at = NOW() + period;

    if ( !timer_is_active(&timer) || timer.expires > at )
        set_timer(&timer, at);
}

static void work_locked(bool by_tasklet)
{
    unsigned int n;
    bool more;

    cloister_nic_attend();
    n = cl_siom_poll(cloister_siom, BUDGET) + deliver();
    more = n >= BUDGET || !bitmap_empty(again, CL_SIOM_PORTS) ||
           !bitmap_empty(cloister_siom->rx_ready, CL_SIOM_PORTS);

    if ( by_tasklet )
        rounds = more ? rounds + 1 : 0;
    if ( more && rounds < ROUNDS )
        cloister_siom_kick();
    else if ( more || !bitmap_empty(cloister_siom->tx_ready, CL_SIOM_PORTS) )
        arm_timer(PERIOD);      /* for tokens, or the NIC */
    if ( !bitmap_empty(polled, CL_SIOM_PORTS) )
        arm_timer(POLL);
    if ( !bitmap_empty(waiting, CL_SIOM_PORTS) )
        arm_timer(PAUSED);
    if ( cloister_siom->nic )
        arm_timer(cloister_nic_period());
}

void cloister_siom_work(void)
{
    if ( !spin_trylock(&device_lock) )
    {
        cloister_siom_kick();
        return;
    }
    work_locked(false);
    spin_unlock(&device_lock);
}

void cloister_siom_again(const struct cloister_port *cp)
{
    set_bit(cp->port.nr, again);
}

void cloister_siom_poll(const struct cloister_port *cp)
{
    set_bit(cp->port.nr, polled);
}

static void poll(void)
{
    unsigned int nr;

    for ( nr = find_first_bit(polled, CL_SIOM_PORTS); nr < CL_SIOM_PORTS;
          nr = find_next_bit(polled, CL_SIOM_PORTS, nr + 1) )
        if ( test_and_clear_bit(nr, polled) )
            set_bit(nr, again);
}

static unsigned int collect_from(unsigned int nr)
{
    struct cl_port *p = cloister_siom->port[nr];
    unsigned int n;
    bool paused;

    if ( !p )
        return 0;
    n = cloister_port_collect(port_of(p), BUDGET, &paused);
    if ( paused )
        __set_bit(nr, waiting);
    else if ( ACCESS_ONCE(port_of(p)->polled) ||
              (n >= BUDGET && p->config.rate) )
        set_bit(nr, polled);    /* it waits for time, not for its turn */
    else if ( n >= BUDGET )
        set_bit(nr, again);

    return n;
}

static void collect(void)
{
    static unsigned int nr;
    unsigned int n = 0, i;

    for ( i = 0; i < CL_SIOM_PORTS && n < WORK; i++ )
    {
        if ( test_bit(nr, again) && test_and_clear_bit(nr, again) )
            n += collect_from(nr);
        nr = (nr + 1) % CL_SIOM_PORTS;
    }
}

static void cf_check tasklet_work(void *unused)
{
    spin_lock(&device_lock);
    retry_waiting();
    collect();
    work_locked(true);
    spin_unlock(&device_lock);
}
static DECLARE_SOFTIRQ_TASKLET(tasklet, tasklet_work, NULL);

void cloister_siom_kick(void)
{
    tasklet_schedule(&tasklet);
}

static void cf_check timer_work(void *unused)
{
    spin_lock(&device_lock);
    rounds = 0;
    poll();
    retry_waiting();
    collect();
    work_locked(true);
    spin_unlock(&device_lock);
}

/* ---- Ports ------------------------------------------------------------- */

static void leave(struct cloister_port *cp)
{
    spin_lock(&cp->lock);
    if ( cp->active )
    {
        clear_bit(cp->port.nr, again);
        clear_bit(cp->port.nr, polled);
        __clear_bit(cp->port.nr, waiting);
        cl_siom_port_remove(&cp->port);
    }
    cp->active = cp->polled = false;
    spin_unlock(&cp->lock);
}

/* The address's holder, or NULL. */
static struct cloister_port *holder(const struct cl_siom_config *c)
{
    const unsigned int uplink = cloister_siom->uplink_vlan;
    unsigned int i;

    for ( i = 0; i < CL_SIOM_PORTS; i++ )
    {
        struct cl_port *p = cloister_siom->port[i];

        if ( p && !memcmp(p->config.mac, c->mac, sizeof(c->mac)) &&
             (p->config.vlan ?: uplink) == (c->vlan ?: uplink) )
            return port_of(p);
    }

    return NULL;
}

/* Of the guest that `cp` goes on with, whose image it has used up. */
static bool is_heir(const struct cloister_port *cp,
                    const struct cloister_port *of)
{
    return cp->saved && of->d->is_shut_down &&
           !memcmp(cp->from, of->d->arch.cloister->instance,
                   sizeof(cp->from));
}

bool cloister_port_taken(const struct cloister_port *cp)
{
    const struct cloister_port *h;
    bool taken;

    spin_lock(&device_lock);
    h = holder(&cp->config);
    taken = h && !is_heir(cp, h);
    spin_unlock(&device_lock);

    return taken;
}

int cloister_port_join(struct cloister_port *cp)
{
    struct cloister_port *h;
    int rc;

    spin_lock(&device_lock);
    h = holder(&cp->config);
    if ( h && is_heir(cp, h) )
        leave(h);
    spin_lock(&cp->lock);
    rc = cl_siom_port_add(cloister_siom, &cp->port, cp, &cp->config);
    cp->active = !rc;
    spin_unlock(&cp->lock);
    spin_unlock(&device_lock);

    return rc;
}

void cloister_port_leave(struct cloister_port *cp)
{
    spin_lock(&device_lock);
    leave(cp);
    spin_unlock(&device_lock);
}

/* ---- Start ------------------------------------------------------------- */

static int __init cf_check siom_init(void)
{
    struct cloister_siom_options *o = &cloister_siom_opts;
    struct cl_siom *s;

    if ( !o->on )
        return 0;
    if ( cloister_mode == CLOISTER_MODE_off || o->vlan > 4094 ||
         o->mtu < 68 || o->mtu > CL_SIOM_MTU_MAX )
    {
        printk(XENLOG_ERR "Cloister: siom= ignored: %s\n",
               cloister_mode == CLOISTER_MODE_off
               ? "Cloister is off"
               : "vlan must be below 4095, mtu from 68 to 9000");
        return 0;
    }
    s = xzalloc(struct cl_siom);
    if ( !s )
    {
        printk(XENLOG_ERR "Cloister: no memory for secure I/O management\n");
        return 0;
    }
    init_timer(&timer, timer_work, NULL, 0);
    cloister_siom = s;
    cl_siom_init(s, &cloister_siom_platform,
                 o->internal ? NULL : cloister_nic_take(o->nic), o->vlan);
    printk("Cloister: secure I/O management%s\n",
           s->nic ? "" : ", guest to guest");

    return 0;
}
__initcall(siom_init);
