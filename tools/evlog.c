/* SPDX-License-Identifier: BSD-2-Clause */
/* Launch and event logs: reading and checking; see evlog.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <cloister/measure.h>

#include "evlog.h"

static size_t padded(uint32_t length)
{
    return ((size_t)length + 7) & ~(size_t)7;
}

static int read_stream(struct evlog *log, FILE *f)
{
    size_t room = 0, n;

    do
    {
        if ( log->size == room )
        {
            uint8_t *more;

            if ( room > EVLOG_MAX )
                return -EFBIG;
            room = room ? 2 * room : 65536;
            more = realloc(log->bytes, room);
            if ( !more )
                return -ENOMEM;
            log->bytes = more;
        }
        n = fread(log->bytes + log->size, 1, room - log->size, f);
        log->size += n;
    } while ( n );

    return ferror(f) ? -EIO : 0;
}

int evlog_load(struct evlog *log, const char *path)
{
    FILE *f = fopen(path, "re");
    int rc;

    *log = (struct evlog){0};
    if ( !f )
        return -errno;

    rc = read_stream(log, f);
    fclose(f);
    if ( rc )
        evlog_free(log);

    return rc;
}

void evlog_free(struct evlog *log)
{
    free(log->bytes);
    *log = (struct evlog){0};
}

bool evlog_next(const struct evlog *log, size_t *offset, struct evitem *item)
{
    size_t left = log->size - *offset;

    if ( *offset > log->size || left < sizeof(item->head) )
        return false;

    memcpy(&item->head, log->bytes + *offset, sizeof(item->head));
    left -= sizeof(item->head);
    if ( item->head.length > left || padded(item->head.length) > left )
        return false;

    item->data = log->bytes + *offset + sizeof(item->head);
    *offset += sizeof(item->head) + padded(item->head.length);

    return true;
}

/* What an item of each type must be like. */
enum shape
{
    SHAPE_data,  /* digest is that of the data        */
    SHAPE_pages, /* digest of pages that are not here */
    SHAPE_none,  /* no digest                         */
};

/* How often it comes. */
enum times
{
    ONCE,
    AT_MOST_ONCE,
    OFTEN,
};

static const struct kind
{
    uint16_t type;
    const char *name;
    enum shape shape;
    bool host;
    enum times times;
    uint32_t length; /* 0: any */
} kinds[] = {
    {CLOISTER_ITEM_config, "config", SHAPE_data, false, ONCE,
     sizeof(struct cloister_launch_config)},
    {CLOISTER_ITEM_cpu, "cpu", SHAPE_data, false, ONCE, 0},
    {CLOISTER_ITEM_state, "state", SHAPE_data, false, OFTEN, 0},
    {CLOISTER_ITEM_params, "params", SHAPE_data, false, ONCE, 0},
    {CLOISTER_ITEM_map, "map", SHAPE_data, false, ONCE, 0},
    {CLOISTER_ITEM_start, "start", SHAPE_data, false, ONCE, 0},
    {CLOISTER_ITEM_pages, "pages", SHAPE_pages, false, OFTEN, 0},
    {CLOISTER_ITEM_zero, "zero", SHAPE_none, false, OFTEN, 0},
    {CLOISTER_ITEM_shared, "shared", SHAPE_none, false, OFTEN, 0},
    {CLOISTER_ITEM_net, "net", SHAPE_data, false, AT_MOST_ONCE,
     sizeof(struct cloister_launch_net)},
    {CLOISTER_ITEM_build, "build", SHAPE_data, true, ONCE, 0},
    {CLOISTER_ITEM_cmdline, "cmdline", SHAPE_data, true, ONCE, 0},
    {CLOISTER_ITEM_policy, "policy", SHAPE_data, true, ONCE,
     sizeof(struct cloister_host_policy)},
    {CLOISTER_ITEM_launch, "launch", SHAPE_data, true, OFTEN,
     sizeof(struct cloister_launch)},
    {CLOISTER_ITEM_end, "end", SHAPE_data, true, OFTEN,
     sizeof(struct cloister_launch)},
};

static const struct kind *kind_of(uint16_t type)
{
    for ( size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++ )
    {
        if ( kinds[i].type == type )
            return &kinds[i];
    }

    return NULL;
}

const char *evitem_name(const struct evitem *item)
{
    const struct kind *kind = kind_of(item->head.type);

    return kind ? kind->name : "unknown";
}

static const char *wrong_digest(const struct kind *kind,
                                const struct evitem *item)
{
    static const uint8_t none[CLOISTER_DIGEST_SIZE];
    uint8_t digest[CLOISTER_DIGEST_SIZE];
    struct cl_sha256 s;

    if ( kind->shape != SHAPE_data )
    {
        if ( item->head.length )
            return "has data";
        if ( kind->shape == SHAPE_none &&
             memcmp(item->head.digest, none, sizeof(none)) )
            return "has a digest";
        return NULL;
    }

    cl_sha256_init(&s);
    cl_sha256_update(&s, item->data, item->head.length);
    cl_sha256_final(&s, digest);

    return memcmp(digest, item->head.digest, sizeof(digest))
               ? "has data with another digest"
               : NULL;
}

/*
 * May an item with data follow the last one?  The host's launches and ends
 * come in any order.
 */
static bool in_order(const struct kind *kind, const struct evitem *item,
                     const struct evitem *last)
{
    if ( !last ||
         (kind->times == OFTEN && last->head.type >= CLOISTER_ITEM_launch) )
        return true;

    return kind->times == OFTEN ? last->head.type <= item->head.type
                                : last->head.type < item->head.type;
}

static const char *wrong(const struct evitem *item, const struct evitem *last,
                         bool host, uint64_t *next_gfn)
{
    const struct kind *kind = kind_of(item->head.type);

    if ( !kind || kind->host != host )
        return "does not belong here";
    if ( kind->length && item->head.length != kind->length )
        return "has the wrong size";
    for ( size_t i = item->head.length; i < padded(item->head.length); i++ )
    {
        if ( item->data[i] )
            return "has padding that is not zero";
    }

    if ( kind->shape == SHAPE_data )
    {
        if ( !in_order(kind, item, last) )
            return "is out of order";
    }
    else
    {
        if ( !last || last->head.type < CLOISTER_ITEM_start ||
             item->head.first < *next_gfn || !item->head.count ||
             item->head.count > UINT64_MAX - item->head.first )
            return "is out of order";
        *next_gfn = item->head.first + item->head.count;
    }

    return wrong_digest(kind, item);
}

/* All types that come once have come. */
static bool complete(uint32_t seen, bool host)
{
    uint32_t need = 0;

    for ( size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++ )
    {
        if ( kinds[i].host == host && kinds[i].times == ONCE )
            need |= 1u << i;
    }

    return (seen & need) == need;
}

bool evlog_check(const struct evlog *log, bool host, char *why, size_t size)
{
    struct evitem item, last;
    uint64_t next_gfn = 0;
    uint32_t seen = 0;
    size_t offset = 0;

    for ( unsigned int nr = 0; evlog_next(log, &offset, &item); nr++ )
    {
        const char *what = wrong(&item, nr ? &last : NULL, host, &next_gfn);

        if ( what )
        {
            snprintf(why, size, "item %u (%s) %s", nr, evitem_name(&item),
                     what);
            return false;
        }
        seen |= 1u << (kind_of(item.head.type) - kinds);
        last = item;
    }

    if ( offset != log->size )
        snprintf(why, size, "the log is cut off, or is none");
    else if ( !complete(seen, host) )
        snprintf(why, size, "items are missing");
    else
        return true;

    return false;
}

void evlog_measurement(const struct evlog *log,
                       uint8_t out[CLOISTER_DIGEST_SIZE])
{
    struct cl_sha256 s;
    struct evitem item;
    size_t offset = 0;

    cl_sha256_init(&s);
    while ( evlog_next(log, &offset, &item) )
        cl_sha256_update(&s, &item.head, sizeof(item.head));
    cl_sha256_final(&s, out);
}

void evlog_replay(const struct evlog *log, unsigned int pcr,
                  uint8_t out[CLOISTER_DIGEST_SIZE])
{
    uint8_t digest[CLOISTER_DIGEST_SIZE];
    struct cl_sha256 s;
    struct evitem item;
    size_t offset = 0;

    memset(out, 0, CLOISTER_DIGEST_SIZE);
    while ( evlog_next(log, &offset, &item) )
    {
        if ( (item.head.type < CLOISTER_ITEM_launch) !=
             (pcr == CLOISTER_PCR_HOST) )
            continue;
        cl_measure_event(&item.head, digest);
        cl_sha256_init(&s);
        cl_sha256_update(&s, out, CLOISTER_DIGEST_SIZE);
        cl_sha256_update(&s, digest, sizeof(digest));
        cl_sha256_final(&s, out);
    }
}

bool evlog_find_launch(const struct evlog *log, const uint8_t uuid[16],
                       struct cloister_launch *out)
{
    struct cloister_launch launch;
    struct evitem item;
    size_t offset = 0;
    bool found = false;

    while ( evlog_next(log, &offset, &item) )
    {
        if ( item.head.type < CLOISTER_ITEM_launch ||
             item.head.length != sizeof(launch) )
            continue;
        memcpy(&launch, item.data, sizeof(launch));
        if ( memcmp(launch.uuid, uuid, sizeof(launch.uuid)) )
            continue;
        if ( item.head.type == CLOISTER_ITEM_launch )
        {
            found = true;
            *out = launch;
        }
        else if ( found && launch.epoch == out->epoch )
            found = false;
    }

    return found;
}

/* Without data an expected item of these types stands for any. */
static bool stands_for_any(const struct cloister_item *h)
{
    return !h->length &&
           (h->type == CLOISTER_ITEM_cpu || h->type == CLOISTER_ITEM_state);
}

static bool same(const struct evitem *a, const struct evitem *b)
{
    const struct cloister_item *x = &a->head, *y = &b->head;

    if ( stands_for_any(x) )
        return x->type == y->type && x->index == y->index &&
               x->first == y->first;

    return !memcmp(x, y, sizeof(*x));
}

bool evlog_compare(const struct evlog *expected, const struct evlog *actual,
                   struct evitem *a, struct evitem *b)
{
    size_t x = 0, y = 0;
    bool more_a, more_b;

    do
    {
        *a = *b = (struct evitem){0};
        more_a = evlog_next(expected, &x, a);
        more_b = evlog_next(actual, &y, b);
        if ( more_a != more_b )
            return true;
    } while ( more_a && same(a, b) );

    return more_a;
}

char *digest_text(const uint8_t digest[CLOISTER_DIGEST_SIZE],
                  char out[DIGEST_TEXT])
{
    for ( unsigned int i = 0; i < CLOISTER_DIGEST_SIZE; i++ )
        sprintf(out + 2 * i, "%02x", digest[i]);

    return out;
}

const char *hvm_record_name(uint64_t type)
{
    static const char *const names[] = {
        [2] = "CPU",        [3] = "PIC",
        [4] = "IOAPIC",     [5] = "LAPIC",
        [6] = "LAPIC_REGS", [7] = "PCI_IRQ",
        [8] = "ISA_IRQ",    [9] = "PCI_LINK",
        [10] = "PIT",       [11] = "RTC",
        [12] = "HPET",      [13] = "PMTIMER",
        [14] = "MTRR",      [15] = "VIRIDIAN_DOMAIN",
        [16] = "CPU_XSAVE", [17] = "VIRIDIAN_VCPU",
        [18] = "VMCE_VCPU", [19] = "TSC_ADJUST",
        [20] = "CPU_MSR",
    };

    return type < sizeof(names) / sizeof(names[0]) ? names[type] : NULL;
}

static void print_text(FILE *to, const uint8_t *data, uint32_t length)
{
    for ( uint32_t i = 0; i < length; i++ )
        fputc(data[i] >= 0x20 && data[i] < 0x7f ? data[i] : '?', to);
}

static void print_launch(FILE *to, const struct evitem *item)
{
    struct cloister_launch l;
    char hex[DIGEST_TEXT];

    memcpy(&l, item->data, sizeof(l));
    fprintf(to, "domain %u, epoch %" PRIu64 ", uuid ", l.domid, l.epoch);
    for ( unsigned int i = 0; i < sizeof(l.uuid); i++ )
        fprintf(to, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                l.uuid[i]);
    fprintf(to, ", measurement %s", digest_text(l.measurement, hex));
}

static void print_config(FILE *to, const struct evitem *item)
{
    struct cloister_launch_config c;

    memcpy(&c, item->data, sizeof(c));
    fprintf(to,
            "%" PRIu32 " vCPUs, %" PRIu64 " pages, options %#" PRIx32
            ", emulation %#" PRIx32 ", tsc_mode %" PRIu32,
            c.vcpus, c.pages, c.options, c.emulation, c.tsc_mode);
}

static void print_policy(FILE *to, const struct evitem *item)
{
    struct cloister_host_policy p;

    memcpy(&p, item->data, sizeof(p));
    fprintf(to, "mode %" PRIu32 ", key bound to PCRs %#" PRIx32 "%s", p.mode,
            p.pcrs, p.unsafe ? ", UNSAFE LAB MODE" : "");
}

static void print_digest(FILE *to, const struct evitem *item)
{
    char hex[DIGEST_TEXT];

    fputs(digest_text(item->head.digest, hex), to);
}

/* Of a log that has been checked. */
static void print_net(FILE *to, const struct evitem *item)
{
    struct cloister_launch_net n;
    const uint8_t *m = n.mac;

    memcpy(&n, item->data, sizeof(n));
    fprintf(to, "fields %#x, MAC %02x:%02x:%02x:%02x:%02x:%02x, vlan %u, mtu "
                "%u, isolated %u, rate %" PRIu64,
            n.fields, m[0], m[1], m[2], m[3], m[4], m[5], n.vlan, n.mtu,
            n.isolated, n.rate);
}

void evitem_print(FILE *to, const struct evitem *item)
{
    const struct cloister_item *h = &item->head;
    const char *record;

    switch ( h->type )
    {
    case CLOISTER_ITEM_config:
        print_config(to, item);
        break;
    case CLOISTER_ITEM_net:
        print_net(to, item);
        break;
    case CLOISTER_ITEM_policy:
        print_policy(to, item);
        break;
    case CLOISTER_ITEM_launch:
    case CLOISTER_ITEM_end:
        print_launch(to, item);
        break;
    case CLOISTER_ITEM_cmdline:
        print_text(to, item->data, h->length);
        break;
    case CLOISTER_ITEM_build:
        for ( uint32_t i = 0; i < h->length; i++ )
            fprintf(to, "%02x", item->data[i]);
        break;
    case CLOISTER_ITEM_state:
        record = hvm_record_name(h->first);
        fprintf(to, "%s %u ", record ? record : "?", h->index);
        print_digest(to, item);
        break;
    case CLOISTER_ITEM_pages:
        fprintf(to, "%#" PRIx64 "+%" PRIu64 " ", h->first, h->count);
        print_digest(to, item);
        break;
    case CLOISTER_ITEM_zero:
    case CLOISTER_ITEM_shared:
        fprintf(to, "%#" PRIx64 "+%" PRIu64, h->first, h->count);
        break;
    default:
        print_digest(to, item);
    }
}
