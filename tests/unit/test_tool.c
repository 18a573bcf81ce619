/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cloister command, whole, on a fake Xen: this file stands in for
 * libxencall and libxenstore, and runs main() with its output in a file.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <json-c/json.h>
#include <xencall.h>
#include <xenstore.h>

#include <abi/dump.h>
#include <abi/evidence.h>
#include <abi/hypercall.h>
#include <abi/reason.h>

#include <cloister/measure.h>

#include "test.h"

/* tools/cloister.c, built with -Dmain=cloister_main */
int cloister_main(int argc, char **argv);

/* Somebody sets the clock all the time: no wait may go by it. */
time_t time(time_t *out)
{
    static time_t now;

    now += 86400;
    if ( out )
        *out = now;

    return now;
}

/* The fake Xen. */

#define WEB_UUID "11111111-2222-3333-4444-5555555555aa"
#define GONE_UUID "00010203-0405-0607-0809-0a0b0c0d0e0f"

struct fake_domain
{
    unsigned int id;
    const char *name, *vm; /* NULL: not in xenstore */
    int err;               /* of the hypercall */
    struct cloister_domain_info info;
};

static struct fake
{
    int open_err, store_err, call_err;
    uint32_t revision;
    struct cloister_host host;
    struct fake_domain domains[4];
    unsigned int protect_calls, protected_id, protect_off;
    int protect_err;
    uint64_t oldest_refusal;
    bool ledger_empty;
    struct cloister_net_host net;
    struct cloister_net_set net_set;
    int net_err;
    int log_err, key_err, key_calls, list_loads, list_changes;
    uint32_t key_action;
    bool have_key;
    unsigned int log_changes; /* so often, between two of its parts */
    uint64_t generation;
    unsigned int asked;
    int secret_err, dump_err;
    uint32_t dump_length;
    unsigned int open_handles, open_buffers;
} fake;

static const struct fake healthy = {
    .revision = CLOISTER_ABI_REVISION,
    .host =
        {
            .mode = CLOISTER_MODE_on,
            .flags = CLOISTER_HOST_aes | CLOISTER_HOST_iommu |
                     CLOISTER_HOST_intremap | CLOISTER_HOST_tpm,
            .protected_domains = 1,
            .key_slots = 16,
            .table_bytes = 3 << 20,
            .refusals = 40,
            .tpm_random = 96,
            .views_live = 5,
            .views_limit = 2048,
        },
    /* Not in the order of their ids, as xenstore may well have them. */
    .domains =
        {
            {.id = 12,
             .name = "db\twith\033escape",
             .vm = "/vm/junk",
             .info = {.state = CLOISTER_DOM_unprotected,
                      .reason = CLOISTER_WHY_pv_guest}},
            {.id = 0,
             .name = "Domain-0",
             .vm = "/vm/00000000-0000-0000-0000-000000000000",
             .info = {.reason = CLOISTER_WHY_pv_guest}},
            {.id = 3,
             .name = "web",
             .vm = "/vm/" WEB_UUID,
             .info = {.state = CLOISTER_DOM_sealed,
                      .key_slot = 2,
                      .pages = {[CLOISTER_PAGE_private] = 65536,
                                [CLOISTER_PAGE_shared] = 12},
                      .epoch = 17,
                      .nonces = UINT64_MAX,
                      .views_given = 1034,
                      .refused = 7,
                      .table_bytes = 1 << 20,
                      .moved = 9}},
            /* Still in xenstore, but just destroyed. */
            {.id = 5, .name = "late", .vm = NULL, .err = ESRCH},
        },
    .oldest_refusal = 9,
};

static struct fake_domain *fake_domain(unsigned int id)
{
    for ( size_t i = 0; i < 4; i++ )
    {
        if ( fake.domains[i].id == id )
            return &fake.domains[i];
    }

    return NULL;
}

xencall_handle *xencall_open(struct xentoollog_logger *logger, unsigned flags)
{
    (void)logger;
    (void)flags;
    errno = fake.open_err;
    if ( errno )
        return NULL;
    fake.open_handles++;

    return (xencall_handle *)&fake;
}

int xencall_close(xencall_handle *xcall)
{
    (void)xcall;
    fake.open_handles--;

    return 0;
}

void *xencall_alloc_buffer(xencall_handle *xcall, size_t size)
{
    (void)xcall;
    fake.open_buffers++;

    return malloc(size);
}

void xencall_free_buffer(xencall_handle *xcall, void *p)
{
    (void)xcall;
    fake.open_buffers--;
    free(p);
}

static int fake_host(struct cloister_host *arg)
{
    uint32_t revision = arg->revision;

    *arg = fake.host;
    arg->revision = revision;

    return 0;
}

static int fake_info(struct cloister_domain_info *arg)
{
    struct fake_domain *dom = fake_domain(arg->domid);

    if ( !dom )
        return ESRCH;
    if ( !dom->err )
        *arg = dom->info;

    return dom->err;
}

static int fake_refusal(struct cloister_refusal *arg)
{
    uint64_t number = arg->number;

    if ( number < fake.oldest_refusal || number > fake.host.refusals )
        return ENOENT;

    *arg = (struct cloister_refusal){
        .domid = 100 + number,
        .number = number,
        .time = number * 1000000000,
        .reason = number % 2 ? CLOISTER_WHY_foreign_map : 9999,
        .detail = number,
    };
    for ( unsigned int i = 0; number == 30 && i < 16; i++ )
        arg->uuid[i] = i;

    return 0;
}

/* 130 entries, of which Xen has forgotten two; web's is number 129. */
#define NEWEST_ENTRY 130

static int fake_ledger(struct cloister_ledger *arg)
{
    uint64_t number = arg->number;

    if ( number + CLOISTER_LEDGER_SIZE <= NEWEST_ENTRY ||
         number > NEWEST_ENTRY )
        return ENOENT;

    *arg = (struct cloister_ledger){
        .number = number,
        .domid = number == 129 ? 3 : CLOISTER_DOMID_HOST,
        .call = number == 129 ? CLOISTER_CALL_domctl : CLOISTER_CALL_sysctl,
        .op = number == 129 ? 63 : number == 128 ? CLOISTER_OP_UNKNOWN : 27,
        .reason = number == 129 ? CLOISTER_WHY_registers
                                : CLOISTER_WHY_xen_code,
        .count = number,
        .first = 1000000000,
        .last = 2500000000,
    };
    if ( number == 129 )
        memcpy(arg->uuid, "\x11\x11\x11\x11\x22\x22\x33\x33\x44\x44"
               "\x55\x55\x55\x55\x55\xaa", 16);

    return 0;
}

static int fake_counts(struct cloister_counts *arg)
{
    if ( arg->domid == 3 )
    {
        arg->counts[CLOISTER_WHY_registers - CLOISTER_COUNT_FIRST] = 129;
        arg->counts[CLOISTER_WHY_map - CLOISTER_COUNT_FIRST] = 2;
        return 0;
    }
    if ( arg->domid != CLOISTER_DOMID_HOST )
        return fake_domain(arg->domid) ? ENOENT : ESRCH;
    arg->counts[CLOISTER_WHY_xen_code - CLOISTER_COUNT_FIRST] = 3;
    arg->newest = fake.ledger_empty ? 0 : NEWEST_ENTRY;

    return 0;
}

static int fake_protect(struct cloister_protect *arg)
{
    if ( !fake_domain(arg->domid) )
        return ESRCH;
    fake.protect_calls++;
    fake.protected_id = arg->domid;
    fake.protect_off = arg->off;

    return fake.protect_err;
}

static int fake_net_host(struct cloister_net_host *arg)
{
    *arg = fake.net;

    return 0;
}

/* Only web has a network card. */
static int fake_net_port(struct cloister_net_port *arg)
{
    if ( arg->domid != 3 )
        return ENODEV;
    *arg = (struct cloister_net_port){
        .domid = 3,
        .active = 1,
        .up = 1,
        .mac = {2, 0, 0, 0, 0xab, 9},
        .vlan = 5,
        .mtu = 1500,
        .tx_frames = 17,
        .rx_bytes = 4711,
        .drops = {3, [9] = 2},
    };

    return 0;
}

static int fake_net_set(struct cloister_net_set *arg)
{
    if ( !fake.net_err )
        fake.net_set = *arg;

    return fake.net_err;
}

/* A launch log of a few thousand bytes, and the host's. */
static uint8_t log_bytes[2][8192];
static size_t log_size[2];
static uint8_t log_digest[32];

static void make_logs(void)
{
    static const struct cloister_launch_config config = {.revision = 1};
    static const struct cloister_host_policy policy = {.revision = 1};
    static uint8_t start[4096], page[4096] = {1};
    struct cl_measure m;

    cl_measure_init(&m, log_bytes[0], sizeof(log_bytes[0]));
    cl_measure_item(&m, CLOISTER_ITEM_config, 0, 0, &config, sizeof(config));
    cl_measure_item(&m, CLOISTER_ITEM_cpu, 0, 0, "cpu", 3);
    cl_measure_item(&m, CLOISTER_ITEM_params, 0, 0, "params", 6);
    cl_measure_item(&m, CLOISTER_ITEM_map, 0, 0, "map", 3);
    cl_measure_item(&m, CLOISTER_ITEM_start, 0, 7, start, sizeof(start));
    cl_measure_page(&m, 7, page);
    cl_measure_finish(&m, log_digest);
    log_size[0] = m.used;

    cl_measure_init(&m, log_bytes[1], sizeof(log_bytes[1]));
    cl_measure_item(&m, CLOISTER_ITEM_build, 0, 0, "\1", 1);
    cl_measure_item(&m, CLOISTER_ITEM_cmdline, 0, 0, "a\033b", 3);
    cl_measure_item(&m, CLOISTER_ITEM_policy, 0, 0, &policy, sizeof(policy));
    log_size[1] = m.used;
}

static int fake_log(struct cloister_log *arg)
{
    bool host = arg->domid == CLOISTER_LOG_HOST;

    if ( !host && arg->domid != 3 && arg->domid != CLOISTER_LOG_SELF )
        return fake_domain(arg->domid) ? ENOENT : ESRCH;
    if ( fake.log_err )
        return fake.log_err;
    if ( arg->offset && fake.log_changes )
    {
        fake.log_changes--;
        fake.generation++;
    }
    arg->generation = fake.generation;
    arg->total = log_size[host];
    arg->length = 0;
    if ( arg->offset >= arg->total )
        return 0;
    arg->length = (uint32_t)(arg->total - arg->offset);
    if ( arg->length > sizeof(arg->data) )
        arg->length = sizeof(arg->data);
    memcpy(arg->data, log_bytes[host] + arg->offset, arg->length);

    return 0;
}

/* A list is 4 bytes; what an earlier boot has kept is "list". */
static int fake_images(struct cloister_images *arg)
{
    void *buffer = (void *)(uintptr_t)arg->buffer;

    if ( arg->action == CLOISTER_IMAGES_load )
    {
        fake.list_loads++;
        return arg->length != 4 || memcmp(buffer, "list", 4) ? EBADMSG : 0;
    }
    if ( arg->action == CLOISTER_IMAGES_peek )
    {
        arg->changes = fake.list_changes;
        return 0;
    }
    if ( !fake.have_key )
        return ENOENT;
    memcpy(buffer, "LIST", 4);
    arg->length = 4;

    return 0;
}

static int fake_hostkey(struct cloister_hostkey *arg)
{
    if ( arg->action != CLOISTER_HOSTKEY_get )
    {
        fake.key_calls++;
        fake.key_action = arg->action;
        if ( fake.key_err )
            return fake.key_err;
        if ( arg->action == CLOISTER_HOSTKEY_load &&
             (arg->length != 4 || memcmp(arg->blob, "blob", 4)) )
            return EBADMSG;
        fake.have_key = true;
    }
    arg->state = fake.have_key;
    arg->length = fake.have_key ? 4 : 0;
    memcpy(arg->blob, "blob", 4);

    return 0;
}

/* Each is asked twice before it answers, as the TPM needs time. */
static int fake_provision(struct cloister_provision *arg)
{
    if ( arg->domid != 3 && arg->domid != CLOISTER_DOMID_HOST )
        return ENOENT;
    if ( fake.asked++ < 2 )
        return EAGAIN;
    if ( fake.secret_err )
        return fake.secret_err;

    return arg->length == 4 && !memcmp(arg->blob, "blob", 4) ? 0 : EBADMSG;
}

static int fake_secret(struct cloister_secret *arg)
{
    if ( fake.secret_err )
        return fake.secret_err;
    if ( fake.asked++ < 2 )
        return ENOENT;
    arg->length = 6;
    memcpy(arg->secret, "secret", 6);

    return 0;
}

static int fake_report(struct cloister_report *arg)
{
    if ( fake.secret_err )
        return fake.secret_err;
    if ( fake.asked++ < 2 )
        return EAGAIN;
    arg->body.epoch = 17;
    arg->quote_length = arg->signature_length = 3;
    memcpy(arg->quote, "quo", 3);
    memcpy(arg->signature, "sig", 3);

    return 0;
}

static int fake_dump(struct cloister_dump *arg)
{
    uint32_t room = arg->length;

    fake.asked++;
    if ( fake.dump_err )
        return fake.dump_err;
    arg->length = fake.dump_length;
    if ( room < fake.dump_length )
        return ENOBUFS;
    memset((void *)(uintptr_t)arg->buffer, 'r', fake.dump_length);

    return 0;
}

static int fake_call(unsigned int op, void *arg)
{
    uint32_t revision;

    memcpy(&revision, arg, sizeof(revision));
    if ( fake.call_err )
        return fake.call_err;
    if ( revision != fake.revision )
        return EOPNOTSUPP;

    switch ( op )
    {
    case CLOISTER_OP_host:
        return fake_host(arg);
    case CLOISTER_OP_domain:
        return fake_info(arg);
    case CLOISTER_OP_refusal:
        return fake_refusal(arg);
    case CLOISTER_OP_protect:
        return fake_protect(arg);
    case CLOISTER_OP_ledger:
        return fake_ledger(arg);
    case CLOISTER_OP_counts:
        return fake_counts(arg);
    case CLOISTER_OP_net_host:
        return fake_net_host(arg);
    case CLOISTER_OP_net_port:
        return fake_net_port(arg);
    case CLOISTER_OP_net_set:
        return fake_net_set(arg);
    case CLOISTER_OP_log:
        return fake_log(arg);
    case CLOISTER_OP_hostkey:
        return fake_hostkey(arg);
    case CLOISTER_OP_provision:
        return fake_provision(arg);
    case CLOISTER_OP_secret:
        return fake_secret(arg);
    case CLOISTER_OP_report:
        return fake_report(arg);
    case CLOISTER_OP_images:
        return fake_images(arg);
    case CLOISTER_OP_dump:
        return fake_dump(arg);
    default:
        return EOPNOTSUPP;
    }
}

int xencall2(xencall_handle *xcall, unsigned int op, uint64_t arg1,
             uint64_t arg2)
{
    (void)xcall;
    errno = op == CLOISTER_HYPERCALL ? fake_call(arg1, (void *)(uintptr_t)arg2)
                                     : ENOSYS;

    return errno ? -1 : 0;
}

/* The fake xenstore. */

struct xs_handle *xs_open(unsigned long flags)
{
    (void)flags;
    errno = fake.store_err;
    if ( errno )
        return NULL;
    fake.open_handles++;

    return (struct xs_handle *)&fake;
}

void xs_close(struct xs_handle *xs)
{
    if ( xs )
        fake.open_handles--;
}

/* As the library does: one block, the strings behind the pointers. */
char **xs_directory(struct xs_handle *xs, xs_transaction_t t, const char *path,
                    unsigned int *num)
{
    char **list = malloc(5 * (sizeof(*list) + 16));
    char *text = (char *)(list + 5);

    (void)xs;
    (void)t;
    (void)path;
    for ( *num = 0; *num < 4; ++*num, text += 16 )
    {
        list[*num] = text;
        snprintf(text, 16, "%u", fake.domains[*num].id);
    }
    list[(*num)++] = strcpy(text, "junk");

    return list;
}

void *xs_read(struct xs_handle *xs, xs_transaction_t t, const char *path,
              unsigned int *len)
{
    unsigned int id;
    char leaf[8];
    const char *value = NULL;
    struct fake_domain *dom;

    (void)xs;
    (void)t;
    (void)len;
    if ( sscanf(path, "/local/domain/%u/%7s", &id, leaf) == 2 &&
         (dom = fake_domain(id)) )
        value = !strcmp(leaf, "name") ? dom->name : dom->vm;

    return value ? strdup(value) : NULL;
}

/* Running the command. */

static char out[65536], err[4096];

static void slurp(FILE *from, char *buf, size_t size)
{
    rewind(from);
    buf[fread(buf, 1, size - 1, from)] = '\0';
    fclose(from);
}

/* Sends what goes to fd into a new file; *saved brings it back. */
static FILE *divert(int fd, int *saved)
{
    FILE *file = tmpfile();

    if ( !file )
        abort();
    *saved = dup(fd);
    dup2(fileno(file), fd);

    return file;
}

static void restore(int fd, int saved)
{
    dup2(saved, fd);
    close(saved);
}

/* Runs `cloister ARGS...`; fills out and err, returns the exit status. */
static int run(const char *first, ...)
{
    char *argv[12] = {"cloister", (char *)first};
    int argc = first ? 2 : 1, saved_out, saved_err, status;
    FILE *to_out, *to_err;
    va_list al;

    va_start(al, first);
    while ( first && (argv[argc] = va_arg(al, char *)) )
        argc++;
    va_end(al);

    fflush(NULL);
    to_out = divert(1, &saved_out);
    to_err = divert(2, &saved_err);
    status = cloister_main(argc, argv);
    fflush(NULL);
    restore(1, saved_out);
    restore(2, saved_err);
    slurp(to_out, out, sizeof(out));
    slurp(to_err, err, sizeof(err));

    return status;
}

#define RUN(...) run(__VA_ARGS__, (char *)NULL)

static bool has(const char *text, const char *part)
{
    return strstr(text, part);
}

/* A member by a path such as "host/mode" or "domains/0/id". */
static struct json_object *member(struct json_object *root, const char *path)
{
    char key[32];
    int used;

    for ( ; root && sscanf(path, "%31[^/]%n", key, &used) == 1;
          path += used + (path[used] == '/') )
    {
        if ( json_object_is_type(root, json_type_array) )
            root = json_object_array_get_idx(root, atoi(key));
        else
            root = json_object_object_get(root, key);
    }

    return root;
}

static bool is(struct json_object *root, const char *path, const char *value)
{
    struct json_object *obj = member(root, path);

    return !strcmp(obj ? json_object_get_string(obj) : "null", value);
}

static size_t length(struct json_object *root, const char *path)
{
    struct json_object *obj = member(root, path);

    return json_object_is_type(obj, json_type_array)
               ? json_object_array_length(obj)
               : ~0u;
}

/* The tests. */

/* A change of size is a change of revision. */
TEST(abi_layout)
{
    CHECK(CLOISTER_ABI_REVISION == 1);
    CHECK(sizeof(struct cloister_host) == 64);
    CHECK(sizeof(struct cloister_domain_info) == 136);
    CHECK(sizeof(struct cloister_refusal) == 56);
    CHECK(sizeof(struct cloister_protect) == 8);
    CHECK(sizeof(struct cloister_ledger) == 72);
    CHECK(sizeof(struct cloister_counts) == 272);
    CHECK(sizeof(struct cloister_net_host) == 104);
    CHECK(sizeof(struct cloister_net_port) == 224);
    CHECK(sizeof(struct cloister_net_set) == 32);
}

TEST(net)
{
    struct json_object *answer;

    fake = healthy;
    CHECK(RUN("net") == 0 && has(out, "Uplink:   off"));
    fake.net.flags = CLOISTER_NET_on;
    fake.net.ports = 1;
    CHECK(RUN("net") == 0 && has(out, "Uplink:   internal; 1 ports"));
    fake.net.flags |= CLOISTER_NET_nic;
    fake.net.sbdf = 3 << 3;
    CHECK(RUN("net") == 0 && has(out, "down, NIC 0000:00:03.0"));
    CHECK(has(out, "web (3)\n    card     02:00:00:00:ab:09, up, MTU 1500, "
                   "VLAN 5\n"));
    CHECK(has(out, "dropped  3 spoofed, 2 rx-down\n"));
    CHECK(!has(out, "(12)"));
    CHECK(RUN("net", "-j", "web") == 0);
    answer = json_tokener_parse(out);
    CHECK(is(answer, "schema", "1") && is(answer, "uplink", "down"));
    CHECK(is(answer, "guests/0/mac", "02:00:00:00:ab:09"));
    CHECK(is(answer, "guests/0/drops/spoofed", "3"));
    CHECK(is(answer, "guests/0/rx_bytes", "4711"));
    json_object_put(answer);
    CHECK(RUN("net", "nobody") == 1);
}

TEST(net_settings)
{
    fake = healthy;
    CHECK(RUN("net", "web", "mac=02:01:02:03:04:FF", "vlan=7", "mtu=9000",
              "isolated=1", "rate=25M") == 0);
    CHECK(fake.net_set.domid == 3 && fake.net_set.fields == 31);
    CHECK(fake.net_set.mac[5] == 0xff && fake.net_set.vlan == 7);
    CHECK(fake.net_set.mtu == 9000 && fake.net_set.isolated == 1);
    CHECK(fake.net_set.rate == 25000000);
    fake.net_set.fields = 0;
    CHECK(RUN("net", "web", "mac=01:01:02:03:04:05") == 2);
    CHECK(RUN("net", "web", "mac=02:01:02:03:04") == 2);
    CHECK(RUN("net", "web", "vlan=4095") == 2);
    CHECK(RUN("net", "web", "mtu=67") == 2 && has(err, "mtu=68..9000"));
    CHECK(RUN("net", "web", "rate=20G") == 2);
    CHECK(RUN("net", "web", "rate=99999999999999999999") == 2);
    CHECK(RUN("net", "web", "colour=red") == 2);
    CHECK(RUN("net", "web", "vlan") == 2);
    fake.open_err = EACCES;
    CHECK(RUN("net", "web", "foo=1") == 2 && has(err, "'foo=1'"));
    fake.open_err = 0;
    CHECK(!fake.net_set.fields);
    fake.net_err = EBUSY;
    CHECK(RUN("net", "web", "vlan=7") == 1 && has(err, "too late"));
    fake.net_err = ENODEV;
    CHECK(RUN("net", "web", "vlan=7") == 5 && has(err, "siom="));
}

TEST(status_text)
{
    fake = healthy;
    CHECK(run(NULL) == 0);
    CHECK(!*err);
    CHECK(has(out, "Cloister: on\n"));
    CHECK(has(out, "TPM yes, IOMMU yes, interrupt remapping yes, AES yes\n"));
    CHECK(has(out, "1 protected (room for 16), tables 3.0 MiB, "
                   "5 of 2048 views live\n"));
    CHECK(has(out, "    3  sealed\n"));
    CHECK(has(out, "65536 private (256.0 MiB), 12 shared (0.0 MiB)\n"));
    CHECK(has(out, "epoch 17, slot 2, 18446744073709551615 nonces"));
    CHECK(has(out, "1034 given\n"));
    CHECK(has(out, "7 requests"));
    CHECK(has(out, "1024.0 KiB, 0.39 %"));
    CHECK(has(out, "9 pages at seal"));
    CHECK(has(out, "   12  unprotected: PV guests cannot be protected\n"));
    CHECK(!has(out, "WARNING"));
    CHECK(!has(out, "CAN BE PROTECTED"));
}

TEST(status_lists_domains_by_id_without_dom0_and_ghosts)
{
    fake = healthy;
    CHECK(RUN("status") == 0);
    CHECK(!has(out, "Domain-0"));
    CHECK(!has(out, "late"));
    CHECK(strstr(out, "web") < strstr(out, "db?with?escape"));
}

TEST(status_of_one)
{
    fake = healthy;
    CHECK(RUN("status", "web") == 0);
    CHECK(has(out, "web") && !has(out, "db?"));
    CHECK(RUN("status", "3") == 0);
    CHECK(has(out, "web") && !has(out, "db?"));
    CHECK(RUN("status", "11111111-2222-3333-4444-5555555555AA") == 0);
    CHECK(has(out, "web") && !has(out, "db?"));
    CHECK(RUN("status", "5") == 1);
    CHECK(has(err, "5: no such domain") && !*out);
}

TEST(status_by_id_without_xenstore_entry)
{
    fake = healthy;
    fake.domains[2].name = fake.domains[2].vm = NULL;
    CHECK(RUN("status", "3", "--json") == 0);
    CHECK(has(out, "\"name\": null"));
}

TEST(status_json)
{
    struct json_object *root;

    fake = healthy;
    CHECK(RUN("--json") == 0);
    root = json_tokener_parse(out);
    CHECK(is(root, "schema", "1"));
    CHECK(length(root, "warnings") == 0);
    CHECK(is(root, "host/mode", "on"));
    CHECK(is(root, "host/interrupt_remapping", "true"));
    CHECK(is(root, "host/unsafe_lab", "false"));
    CHECK(is(root, "host/reason", "null"));
    CHECK(is(root, "host/views_limit", "2048"));
    CHECK(length(root, "domains") == 2);
    CHECK(is(root, "domains/0/name", "web"));
    CHECK(is(root, "domains/0/uuid", WEB_UUID));
    CHECK(is(root, "domains/0/protected", "true"));
    CHECK(is(root, "domains/0/reason", "null"));
    CHECK(is(root, "domains/0/pages/private", "65536"));
    CHECK(is(root, "domains/0/nonces", "18446744073709551615"));
    CHECK(is(root, "domains/1/uuid", "null"));
    CHECK(is(root, "domains/1/protected", "false"));
    CHECK(is(root, "domains/1/reason/name", "pv_guest"));
    json_object_put(root);
}

static unsigned int count_char(const char *text, const char *end, char c)
{
    unsigned int n = 0;

    for ( ; text < end; text++ )
        n += *text == c;

    return n;
}

TEST(status_tsv)
{
    const char *line = out;
    const unsigned int tabs[] = {14, 17, 17};

    fake = healthy;
    CHECK(RUN("-t") == 0);
    for ( unsigned int i = 0; i < 3; i++ )
    {
        const char *end = strchr(line, '\n');

        CHECK(end && count_char(line, end, '\t') == tabs[i]);
        line = end ? end + 1 : line;
    }
    CHECK(!*line);
    CHECK(has(out, "host\ton\t-\t1\t1\t1\t1\tnone\t1\t16\t3145728\t40\t96\t5"
                   "\t2048\n"));
    CHECK(has(out, "domain\t3\t" WEB_UUID "\tweb\tsealed\tnone\t0\t65536\t12"
                   "\t0\t17\t18446744073709551615\t1034\t7\t1048576\t9\t0\t0\n"));
    CHECK(has(out, "domain\t12\t-\tdb?with?escape\tunprotected\tpv_guest\t"));
}

TEST(unsafe_lab_is_shouted)
{
    struct json_object *root;

    fake = healthy;
    fake.host.flags = CLOISTER_HOST_unsafe | CLOISTER_HOST_aes;
    CHECK(RUN("status") == 0 && has(out, "WARNING: UNSAFE-LAB"));
    CHECK(has(out, "TPM NO, IOMMU NO, interrupt remapping NO, AES yes"));
    CHECK(RUN("why", "web") == 0 && has(out, "WARNING: UNSAFE-LAB"));
    CHECK(RUN("why") == 0 && has(out, "WARNING: UNSAFE-LAB"));
    CHECK(RUN("protect", "web") == 0 && has(err, "WARNING: UNSAFE-LAB"));
    CHECK(RUN("-t") == 0 && has(out, "\tunsafe-lab\t"));
    CHECK(RUN("-j") == 0);
    root = json_tokener_parse(out);
    CHECK(length(root, "warnings") == 1);
    CHECK(is(root, "host/unsafe_lab", "true"));
    json_object_put(root);
}

TEST(host_that_cannot_protect)
{
    fake = healthy;
    fake.host.reason = CLOISTER_WHY_no_tpm;
    fake.host.mode = 77;
    CHECK(RUN("status") == 0);
    CHECK(has(out, "NO DOMAIN CAN BE PROTECTED: no TPM 2.0 answers"));
    CHECK(has(out, "Cloister: unknown"));
}

TEST(states_and_reasons_of_a_later_xen)
{
    fake = healthy;
    fake.domains[2].info.state = 42;
    fake.domains[2].info.reason = 4711;
    CHECK(RUN("status") == 0);
    CHECK(has(out, "unknown: a reason that this version"));
    CHECK(RUN("why", "web") == 1);
    CHECK(has(out, "[unknown, 4711]"));
}

TEST(why_protected)
{
    struct json_object *root;

    fake = healthy;
    CHECK(RUN("why", "web") == 0);
    CHECK(!strcmp(out, "web (3) is protected (key epoch 17)\n"));
    CHECK(RUN("why", "-j", "web") == 0);
    root = json_tokener_parse(out);
    CHECK(is(root, "schema", "1"));
    CHECK(is(root, "protected", "true"));
    CHECK(is(root, "domain/name", "web"));
    CHECK(is(root, "domain/state", "sealed"));
    CHECK(is(root, "domain/reason", "null"));
    CHECK(length(root, "refusals") == 0);
    json_object_put(root);
}

TEST(why_unprotected)
{
    fake = healthy;
    fake.domains[2].info.state = CLOISTER_DOM_unprotected;
    fake.domains[2].info.reason = CLOISTER_WHY_bad_page;
    fake.domains[2].info.detail = 0xfee00;
    CHECK(RUN("why", "web") == 1);
    CHECK(has(out, "web (3) is not protected\n"));
    CHECK(has(out, "unexpected page [bad_page, 23]\n"));
    CHECK(has(out, "0xfee00 (1043968)\n"));
    CHECK(has(out, "what to do  create the guest"));
    CHECK(!*err);
}

TEST(why_without_reason)
{
    static const struct
    {
        unsigned int state;
        const char *text;
    } cases[] = {
        {CLOISTER_DOM_unprotected, "web (3) is not protected, and Xen"},
        {CLOISTER_DOM_building, "web (3) is not protected yet"},
        {CLOISTER_DOM_sealing, "web (3) is being sealed"},
        {CLOISTER_DOM_dying, "web (3) is being destroyed"},
    };

    fake = healthy;
    for ( size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++ )
    {
        fake.domains[2].info.state = cases[i].state;
        CHECK(RUN("why", "web") == 1);
        CHECK(has(out, cases[i].text));
    }
}

TEST(why_of_a_domain_that_is_gone)
{
    struct json_object *root;

    fake = healthy;
    CHECK(RUN("why", "130") == 1);
    CHECK(has(out, "refusal 30: domain 130 (" GONE_UUID "), 30.000 s"));
    CHECK(RUN("why", GONE_UUID, "--json") == 1);
    root = json_tokener_parse(out);
    CHECK(is(root, "protected", "false"));
    CHECK(is(root, "domain", "null"));
    CHECK(length(root, "refusals") == 1);
    CHECK(is(root, "refusals/0/uuid", GONE_UUID));
    CHECK(is(root, "refusals/0/time_ns", "30000000000"));
    CHECK(is(root, "refusals/0/reason/number", "9999"));
    json_object_put(root);
    CHECK(RUN("why", "108") == 1 && has(err, "no such domain") && !*out);
    CHECK(RUN("why", "nobody") == 1 && has(err, "nobody: no such domain"));
    CHECK(RUN("why", "") == 1 && has(err, "no such domain"));
}

TEST(why_lists_refusals_newest_first)
{
    struct json_object *root;

    fake = healthy;
    CHECK(RUN("why", "-j") == 0);
    root = json_tokener_parse(out);
    CHECK(is(root, "protected", "null"));
    CHECK(length(root, "refusals") == 32);
    CHECK(is(root, "refusals/0/number", "40"));
    CHECK(is(root, "refusals/31/number", "9"));
    json_object_put(root);

    fake.oldest_refusal = 39;
    CHECK(RUN("why") == 0);
    CHECK(strstr(out, "refusal 40") < strstr(out, "refusal 39"));
    CHECK(!has(out, "refusal 38"));

    fake.host.refusals = 0;
    CHECK(RUN("why") == 0 && !strcmp(out, "no refusals\n"));
}

TEST(why_number)
{
    fake = healthy;
    CHECK(RUN("why", "-n", "31") == 1);
    CHECK(has(out, "refusal 31: domain 131"));
    CHECK(has(out, "[foreign_map, 22]"));
    CHECK(RUN("why", "--number=8") == 1 && has(err, "no refusal"));
    CHECK(RUN("why", "-n", "-1") == 2);
    CHECK(RUN("why", "-n", "0") == 2);
    CHECK(RUN("why", "-n", "7x") == 2);
    CHECK(RUN("why", "-n", "99999999999999999999999") == 2);
    CHECK(RUN("why", "-n", "7", "web") == 2);
}

TEST(log_lists_newest_first)
{
    fake = healthy;
    CHECK(RUN("log") == 0);
    CHECK(has(out, "130: the host: refused to domain 0: sysctl 27"));
    CHECK(has(out, "129: web (3): refused to domain 0: domctl 63"));
    CHECK(has(out, "128: the host: refused to domain 0: sysctl unknown (0)"));
    CHECK(has(out, "129 times, 1.000 to 2.500 s after boot"));
    CHECK(has(out, "[registers, 32]"));
    CHECK(has(out, "\n3: the host") && !has(out, "\n2: the host"));
    CHECK(strstr(out, "130:") < strstr(out, "129:"));
}

TEST(log_of_one)
{
    static const char *const specs[] = {"web", "3", WEB_UUID};

    for ( unsigned int i = 0; i < 3; i++ )
    {
        fake = healthy;
        CHECK(RUN("log", specs[i]) == 0);
        CHECK(has(out, "129: web (3)") && !has(out, "the host"));
    }
    fake = healthy;
    CHECK(RUN("log", "nobody") == 1);
    CHECK(RUN("log", GONE_UUID) == 0);
    CHECK(has(out, "nothing has been refused"));
}

TEST(log_json)
{
    struct json_object *root;

    fake = healthy;
    CHECK(RUN("log", "--json", "web") == 0);
    root = json_tokener_parse(out);
    CHECK(length(root, "entries") == 1);
    CHECK(is(root, "entries/0/domain/name", "web"));
    CHECK(is(root, "entries/0/domain/uuid", WEB_UUID));
    CHECK(is(root, "entries/0/call", "domctl"));
    CHECK(is(root, "entries/0/operation", "63"));
    CHECK(is(root, "entries/0/count", "129"));
    CHECK(is(root, "entries/0/reason/name", "registers"));
    json_object_put(root);

    fake.ledger_empty = true;
    CHECK(RUN("log", "-j") == 0);
    root = json_tokener_parse(out);
    CHECK(length(root, "entries") == 0);
    json_object_put(root);
}

TEST(log_counts)
{
    struct json_object *root;

    fake = healthy;
    CHECK(RUN("log", "--counts") == 0);
    CHECK(has(out, "web (3)\n") && has(out, "       129  a protected guest's"));
    CHECK(has(out, "[registers, 32]\n") && has(out, "the host\n"));
    CHECK(!has(out, "(12)"));
    CHECK(RUN("log", "--counts", "web") == 0 && !has(out, "the host"));
    CHECK(RUN("log", "--counts", "12") == 0 && has(out, "nothing has been"));
    CHECK(RUN("log", "--counts", "-j", "web") == 0);
    root = json_tokener_parse(out);
    CHECK(is(root, "schema", "1") && length(root, "refused") == 1);
    CHECK(is(root, "refused/0/uuid", WEB_UUID));
    CHECK(is(root, "refused/0/counts/registers", "129"));
    json_object_put(root);
    fake.host.flags |= CLOISTER_HOST_unsafe;
    CHECK(RUN("log", "--counts") == 0 && has(out, "WARNING"));
    CHECK(RUN("log", "--counts", "nobody") == 1);
    CHECK(RUN("why", "--counts") == 2 && has(err, "no option --counts"));
}

TEST(protect)
{
    fake = healthy;
    CHECK(RUN("protect", "web") == 0);
    CHECK(fake.protect_calls == 1 && fake.protected_id == 3);
    CHECK(has(out, "xl unpause 3"));
    CHECK(RUN("protect", "nobody") == 1 && has(err, "no such domain"));
    CHECK(RUN("protect", "77") == 1 && has(err, "no such domain"));
    CHECK(fake.protect_calls == 1);

    CHECK(!fake.protect_off);
    CHECK(RUN("protect", "--off", "web") == 0);
    CHECK(fake.protect_calls == 2 && fake.protect_off == 1);
    CHECK(has(out, "unprotected: xl unpause 3"));
    CHECK(RUN("why", "--off", "web") == 2 && has(err, "no option --off"));

    fake.protect_err = EBUSY;
    CHECK(RUN("protect", "web") == 1 && has(err, "web: too late") && !*out);
    CHECK(RUN("protect", "--off", "web") == 1 && has(err, "too late"));
}

/* The request must stand: the guest shall not run in the open. */
TEST(protect_on_a_host_that_cannot)
{
    fake = healthy;
    fake.host.reason = CLOISTER_WHY_no_iommu;
    CHECK(RUN("protect", "web") == 5);
    CHECK(fake.protect_calls == 1 && !*out);
    CHECK(has(err, "the IOMMU is off"));
}

TEST(hypervisor_out_of_reach)
{
    static const struct
    {
        int open_err, call_err, status;
        const char *text;
    } cases[] = {
        {ENOENT, 0, 4, "not running under it"},
        {ENXIO, 0, 4, "not running under it"},
        {EACCES, 0, 4, "must be run as root"},
        {0, ENOSYS, 4, "this Xen has no Cloister"},
        {0, EPERM, 4, "must be run as root in dom0"},
        {0, EOPNOTSUPP, 5, "different versions"},
        {0, EIO, 1, "Input/output error"},
    };
    static const char *const verbs[] = {"status", "why", "protect"};

    for ( size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++ )
    {
        fake = healthy;
        fake.open_err = cases[i].open_err;
        fake.call_err = cases[i].call_err;
        for ( size_t v = 0; v < 3; v++ )
        {
            CHECK(RUN(verbs[v], "web") == cases[i].status);
            CHECK(has(err, cases[i].text) && !*out);
        }
    }
}

TEST(revision_mismatch)
{
    fake = healthy;
    fake.revision = CLOISTER_ABI_REVISION + 1;
    CHECK(run(NULL) == 5);
    CHECK(has(err, "different versions") && !*out);
}

TEST(xenstore_out_of_reach)
{
    fake = healthy;
    fake.store_err = ECONNREFUSED;
    CHECK(RUN("status") == 4 && has(err, "xenstore") && !*out);
    CHECK(RUN("why", "web") == 4);
    CHECK(RUN("protect", "3") == 4 && !fake.protect_calls);
    CHECK(RUN("why") == 0);
}

TEST(bad_command_lines)
{
    fake = healthy;
    CHECK(RUN("frobnicate") == 2 && has(err, "unknown command"));
    CHECK(RUN("") == 2);
    CHECK(RUN("--junk") == 2);
    CHECK(RUN("-x") == 2);
    CHECK(RUN("status", "--json=yes") == 2);
    CHECK(RUN("status", "a", "b") == 2 && has(err, "too many"));
    CHECK(RUN("protect") == 2 && has(err, "needs a domain"));
    CHECK(RUN("protect", "-j", "web") == 2 && has(err, "no option -j"));
    CHECK(RUN("why", "-t") == 2 && has(err, "no option -t"));
    CHECK(RUN("status", "-n", "3") == 2 && has(err, "no option -n"));
    CHECK(RUN("status", "-j", "-t") == 2);
    CHECK(!*out && !fake.protect_calls);
}

TEST(help_and_version_without_xen)
{
    fake = healthy;
    fake.open_err = EACCES;
    CHECK(RUN("help") == 0 && has(out, "usage: cloister"));
    CHECK(RUN("--help") == 0 && has(out, "usage: cloister"));
    CHECK(RUN("why", "--help") == 0 && has(out, "usage: cloister why "));
    CHECK(RUN("show", "-h") == 0 && has(out, "usage: cloister show "));
    CHECK(RUN("status", "web", "-h") == 0 && has(out, "cloister status"));
    CHECK(RUN("help", "keys") == 0 && has(out, "usage: cloister keys "));
    CHECK(!has(out, "usage: cloister log"));
    CHECK(RUN("--version") == 0 && has(out, "cloister "));
    CHECK(!*err);
    CHECK(RUN("help", "me") == 2 && RUN("me", "-h") == 2);
}

TEST(specs_that_look_like_others)
{
    fake = healthy;
    /* A name of digits only is an id, as for xl; too long for one: a name. */
    fake.domains[0].name = "1234567";
    CHECK(RUN("why", "1234567") == 1 && has(out, "1234567 (12) is not"));
    CHECK(RUN("why", "-1") == 2);
    CHECK(RUN("why", "--", "-1") == 1 && has(err, "no such domain"));
    CHECK(RUN("why", "3 ") == 1 && has(err, "no such domain"));
    CHECK(RUN("why", "32753") == 1 && has(err, "no such domain"));
}

#define SCRATCH "/tmp/test_tool.scratch"

TEST(show)
{
    char hex[65];

    fake = healthy;
    make_logs();
    for ( unsigned int i = 0; i < 32; i++ )
        snprintf(hex + 2 * i, 3, "%02x", log_digest[i]);
    CHECK(RUN("show", "web") == 0 && has(out, hex) && has(out, "pages"));
    CHECK(RUN("show", "--json", "3") == 0 && has(out, "\"schema\": 1") &&
          has(out, hex));
    CHECK(RUN("show", "--host") == 0 && has(out, "a?b") && has(out, "PCR 22"));
    CHECK(RUN("show", "--host", "-j") == 0 && has(out, "\"pcr22\""));
    CHECK(RUN("show", "-o", SCRATCH, "web") == 0 && !*out);
    CHECK(RUN("show", SCRATCH) == 0 && has(out, hex));
    CHECK(RUN("explain", SCRATCH, SCRATCH) == 0);
    CHECK(RUN("explain", "-j", SCRATCH, SCRATCH) == 0);
    CHECK(has(out, "\"same\": true") && has(out, "\"actual\": null"));
    remove(SCRATCH);
}

TEST(show_failures)
{
    fake = healthy;
    CHECK(RUN("show") == 2);
    CHECK(RUN("show", "a", "b") == 2);
    CHECK(RUN("show", "--host", "web") == 2);
    CHECK(RUN("show", "-x", "web") == 2);
    CHECK(RUN("show", "12") == 1 && has(err, "not measured"));
    CHECK(RUN("show", "nobody") == 1 && has(err, "no such domain"));
    CHECK(RUN("show", "/nowhere") == 1);
    CHECK(RUN("show", "/dev/null") == 3);
    fake.log_err = EPERM;
    CHECK(RUN("show", "web") == 4);
    fake = healthy;
    fake.open_err = EACCES;
    CHECK(RUN("show", "web") == 4);
}

/* The host's log may be shortened while it is read. */
TEST(show_of_a_log_that_changes)
{
    fake = healthy;
    fake.log_changes = 3;
    CHECK(RUN("show", "web") == 0 && fake.generation == 3);
    fake.log_changes = 1000;
    CHECK(RUN("show", "web") == 1);
}

TEST(keys)
{
    fake = healthy;
    remove(SCRATCH);
    CHECK(RUN("keys", "-f", SCRATCH) == 0);
    CHECK(fake.key_action == CLOISTER_HOSTKEY_create && fake.key_calls == 1);
    /* The same boot, then another. */
    CHECK(RUN("keys", "-f", SCRATCH) == 0 && fake.key_calls == 1);
    fake.have_key = false;
    CHECK(RUN("keys", "-f", SCRATCH) == 0);
    CHECK(fake.key_action == CLOISTER_HOSTKEY_load && fake.key_calls == 2);
    fake.have_key = false;
    CHECK(RUN("keys", "--new", "-f", SCRATCH) == 0);
    CHECK(fake.key_action == CLOISTER_HOSTKEY_create && fake.key_calls == 3);
    remove(SCRATCH);
}

/* What is in the file is not thrown away because it does not fit. */
TEST(keys_refused)
{
    static const struct
    {
        int err, status;
    } c[] = {{EBADMSG, 3}, {ENXIO, 3},     {EACCES, 6}, {ENODEV, 5},
             {EIO, 1},     {ETIMEDOUT, 1}, {ENOMEM, 1}};
    FILE *f = fopen(SCRATCH, "w");

    CHECK(f && fputs("junk", f) >= 0 && !fclose(f));
    fake = healthy;
    CHECK(RUN("keys", "-f", SCRATCH) == 3 && !*out);
    for ( unsigned int i = 0; i < sizeof(c) / sizeof(c[0]); i++ )
    {
        fake.key_err = c[i].err;
        CHECK(RUN("keys", "-f", SCRATCH) == c[i].status && *err);
        CHECK(fake.key_action == CLOISTER_HOSTKEY_load);
    }
    CHECK(RUN("keys", "-f", SCRATCH, "x") == 2);
    CHECK(RUN("keys", "-f", "/nowhere/x") == 1);
    remove(SCRATCH);
}

static bool matches(const char *line, const char *pattern)
{
    regex_t re;
    bool found = !regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB) &&
                 !regexec(&re, line, 0, NULL, 0);

    regfree(&re);

    return found;
}

/*
 * The text format 0.0.4, and what promtool(1) complains about: each metric has
 * one HELP, one TYPE and its samples together; counters, and no others, end
 * with _total.
 */
static bool is_prometheus(char *text)
{
    char name[64] = "", type[16] = "", seen[2048] = "", pattern[256];
    char *line, *rest = text, end = *text ? text[strlen(text) - 1] : 0;
    bool ok = end == '\n';

    while ( ok && (line = strsep(&rest, "\n")) && (*line || rest) )
    {
        if ( !strncmp(line, "# HELP ", 7) )
        {
            ok = sscanf(line + 7, "%60s", name) == 1 &&
                 matches(line, "^# HELP cloister_[a-z_]+ [^\\]+[.]$");
            snprintf(pattern, sizeof(pattern), "|%s|", name);
            ok &= !strstr(seen, pattern);
            strncat(seen, pattern, sizeof(seen) - strlen(seen) - 1);
            line = strsep(&rest, "\n");
            snprintf(pattern, sizeof(pattern), "# TYPE %s %%15s", name);
            ok = ok && line && sscanf(line, pattern, type) == 1 &&
                 !strcmp(type, matches(name, "_total$") ? "counter" : "gauge");
            continue;
        }
        snprintf(pattern, sizeof(pattern),
                 "^%s([{]domain=\"([^\"\\]|\\\\[\"\\n])*\","
                 "uuid=\"[0-9a-f-]*\"(,reason=\"[a-z_]+\")?[}])? [0-9]+$",
                 name);
        ok = matches(line, pattern);
    }

    return ok;
}

TEST(metrics_format)
{
    fake = healthy;
    fake.domains[0].name = "a\"b\\c";
    CHECK(RUN("metrics") == 0 && is_prometheus(out));
    CHECK(!is_prometheus((char[]){"# HELP cloister_x X.\n"}));
    CHECK(!is_prometheus(
        (char[]){"# HELP cloister_x X.\n# TYPE cloister_x gauge\ny 1\n"}));
    CHECK(!is_prometheus((char[]){"# HELP cloister_x X.\n# TYPE cloister_x "
                                  "counter\ncloister_x 1\n"}));
}

TEST(metrics)
{
    fake = healthy;
    CHECK(RUN("metrics") == 0);
    CHECK(has(out, "\ncloister_up 1\n"));
    CHECK(has(out, "# TYPE cloister_refusals_total counter\n"
                   "cloister_refusals_total 40\n"));
    CHECK(has(out, "cloister_domain_sealed{domain=\"web\",uuid=\"" WEB_UUID
                   "\"} 1\n"));
    CHECK(has(out, "{domain=\"db?with?escape\",uuid=\"\"} 0\n"));
    CHECK(!has(out, "late") && !has(out, "Domain-0"));
    CHECK(has(out, "cloister_refused_total{domain=\"web\",uuid=\"" WEB_UUID
                   "\",reason=\"registers\"} 129\n"));
    CHECK(has(out, "{domain=\"\",uuid=\"\",reason=\"xen_code\"} 3\n"));
    fake.domains[0].name = "a\"b\\c";
    CHECK(RUN("metrics") == 0 && has(out, "{domain=\"a\\\"b\\\\c\","));
    CHECK(RUN("metrics", "x") == 2);
    fake.open_err = EACCES;
    CHECK(RUN("metrics") == 4 && !*out);
}

TEST(list_and_ok)
{
    fake = healthy;
    CHECK(RUN("list") == 0 && has(out, "web ") && has(out, "3  sealed\n"));
    CHECK(!has(out, "Host:") && !has(out, "Domain-0"));
    CHECK(RUN("list", "--tsv") == 0 && has(out, "domain\t3\t"));
    CHECK(RUN("list", "--json") == 0 && has(out, "\"name\": \"web\""));
    CHECK(RUN("ok") == 1 && has(out, "PASS  guests can be protected"));
    CHECK(has(out, "FAIL  there is a host key: cloister keys"));
    fake.have_key = true;
    CHECK(RUN("ok") == 0 && !has(out, "FAIL"));
    fake.host.flags &= ~CLOISTER_HOST_iommu;
    fake.host.reason = CLOISTER_WHY_no_iommu;
    CHECK(RUN("ok", "-j") == 1 && has(out, "\"ok\": false"));
    CHECK(has(out, "\"schema\": 1"));
    fake.open_err = EACCES;
    CHECK(RUN("ok") == 4 && has(out, "FAIL"));
    CHECK(RUN("ok", "x") == 2);
}

/* Standard input is a file. */
static bool give(const char *text)
{
    FILE *f = fopen(SCRATCH, "w");
    bool ok = f && fputs(text, f) >= 0 && !fclose(f);

    return freopen(SCRATCH, "r", stdin) && !remove(SCRATCH) && ok;
}

TEST(provision)
{
    static const struct
    {
        int err, status;
    } c[] = {{ENOENT, 1}, {EEXIST, 1}, {EBADMSG, 3},  {ENXIO, 3},
             {EACCES, 6}, {EXDEV, 6},  {ETIMEDOUT, 1}, {ENODEV, 5}};

    fake = healthy;
    CHECK(give("blob") && RUN("provision", "web") == 0 && fake.asked == 3);
    CHECK(give("BLOB") && RUN("provision", "web") == 3 && *err);
    CHECK(give("") && RUN("provision", "web") == 1);
    CHECK(give("blob") && RUN("provision", "nobody") == 1);
    CHECK(give("blob") && RUN("provision", "12") == 1);
    for ( unsigned int i = 0; i < sizeof(c) / sizeof(c[0]); i++ )
    {
        fake.secret_err = c[i].err;
        CHECK(give("blob") && RUN("provision", "web") == c[i].status && *err);
    }
    CHECK(RUN("provision") == 2);
}

TEST(allow)
{
    fake = healthy;
    CHECK(give("blob") && RUN("allow") == 0 && fake.asked == 3);
    CHECK(give("BLOB") && RUN("allow") == 3 && *err);
    fake.secret_err = ENXIO;
    CHECK(give("blob") && RUN("allow") == 3 && has(err, "another host"));
    CHECK(RUN("allow", "web") == 2);
}

/* The shell is as good as xl here: there is neither. */
TEST(receive_without_xl)
{
    char *path = strdup(getenv("PATH"));

    fake = healthy;
    setenv("PATH", "/nowhere", 1);
    CHECK(give("") && RUN("receive") == 4 && has(err, "no xl here"));
    setenv("PATH", path, 1);
    free(path);
}

static bool write_key(const char *text)
{
    FILE *f = fopen(SCRATCH, "w");

    return f && fputs(text, f) >= 0 && !fclose(f);
}

/* SHA-256("migrate id" and 6 zeros, 32 times A, 32 zeros), by Python. */
TEST(migration_key)
{
    fake = healthy;
    CHECK(write_key("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
    CHECK(RUN("migrate", "-k", SCRATCH) == 0);
    CHECK(!strcmp(out, "cloister.migrate="
                       "c9faaaeee8f2ba155767f7956e2803aa"
                       "1fa0eaaedaf09fbe23bc3a144974ad8a\n"));
    CHECK(write_key("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
    CHECK(RUN("migrate", "-k", SCRATCH) == 1 && !*out);
    CHECK(write_key("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
    CHECK(RUN("migrate", "-k", SCRATCH) == 1 && !*out);
    CHECK(!remove(SCRATCH) && RUN("migrate", "-k", SCRATCH) == 1);
    CHECK(has(err, "No such file"));
    CHECK(RUN("migrate") == 2 && RUN("migrate", "web") == 2);
    CHECK(RUN("migrate", "nobody", "b") == 1);
    CHECK(RUN("migrate", "--carry", "b") == 2);
}

TEST(secret)
{
    fake = healthy;
    CHECK(RUN("secret") == 1 && has(err, "-w SECONDS"));
    CHECK(RUN("secret", "-w", "5") == 0 && !strcmp(out, "secret"));
    /* Without a signature it is nobody's. */
    CHECK(RUN("secret", "-k", "/nowhere") == 1 && !*out);
    CHECK(has(err, "/nowhere: No such file"));
    fake.secret_err = EEXIST;
    CHECK(RUN("secret") == 1 && !*out);
    fake.secret_err = EPERM;
    CHECK(RUN("secret") == 4);
    CHECK(RUN("secret", "-w", "soon") == 2 && has(err, "-w takes seconds"));
    CHECK(RUN("secret", "-w", "86401") == 2);
    CHECK(RUN("secret", "x") == 2);
}

static bool give_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    return f && fputs(text, f) >= 0 && !fclose(f);
}

static bool make_dump_key(const char *path)
{
    EVP_PKEY *key = EVP_RSA_gen(2048);
    FILE *f = fopen(path, "w");
    bool ok = f && PEM_write_PUBKEY(f, key);

    EVP_PKEY_free(key);

    return f && !fclose(f) && ok;
}

static long size_of(const char *path)
{
    struct stat st;

    return stat(path, &st) ? -1 : (long)st.st_size;
}

/* A record of any length takes two calls at most. */
TEST(dump)
{
    static const struct
    {
        int err, status;
        const char *says;
    } c[] = {{EACCES, 6, "does not name this key"},
             {EAGAIN, 1, "try again"},
             {ENODATA, 1, "gone to rest"},
             {E2BIG, 1, "too large"}};

    fake = healthy;
    CHECK(make_dump_key(SCRATCH ".key") && give_file(SCRATCH, "core"));
    fake.dump_length = 1000;
    CHECK(RUN("dump", "-k", SCRATCH ".key", "web", SCRATCH) == 0);
    CHECK(fake.asked == 1);
    CHECK(size_of(SCRATCH) == 4 + 1000 + sizeof(struct cloister_dump_tail));

    CHECK(give_file(SCRATCH, "core"));
    fake.asked = 0;
    fake.dump_length = 100000000;
    CHECK(RUN("dump", "-k", SCRATCH ".key", "web", SCRATCH) == 0);
    CHECK(fake.asked == 2);
    CHECK(size_of(SCRATCH) ==
          4 + 100000000 + sizeof(struct cloister_dump_tail));

    CHECK(give_file(SCRATCH, "core"));
    for ( unsigned int i = 0; i < sizeof(c) / sizeof(c[0]); i++ )
    {
        fake.dump_err = c[i].err;
        CHECK(RUN("dump", "-k", SCRATCH ".key", "web", SCRATCH) ==
              c[i].status);
        CHECK(has(err, c[i].says) && size_of(SCRATCH) == 4);
    }
    /* A Xen that is never content. */
    fake.asked = 0;
    fake.dump_err = ENOBUFS;
    CHECK(RUN("dump", "-k", SCRATCH ".key", "web", SCRATCH) == 1);
    CHECK(fake.asked < 10 && !fake.open_buffers);
    remove(SCRATCH);
    remove(SCRATCH ".key");
}

TEST(report)
{
    fake = healthy;
    CHECK(RUN("report", "-n", "00112233445566778899") == 0);
    CHECK(has(out, "\"nonce\": \"00112233445566778899\""));
    CHECK(has(out, "\"quote\": \"cXVv\"") && has(out, "\"epoch\": 17"));
    fake.secret_err = EPERM;
    CHECK(RUN("report", "-n", "00112233445566778899") == 4 && !*out);
    fake.secret_err = ENOENT;
    CHECK(RUN("report", "-n", "00112233445566778899") == 5);
    CHECK(RUN("report") == 2);
}

TEST(own_command_lines)
{
    fake = healthy;
    CHECK(RUN("attest") == 2 && has(err, "-n NONCE"));
    CHECK(RUN("attest", "-n", "xyz", "-o", "/tmp") == 2);
    CHECK(RUN("verify", "/tmp") == 2);
    CHECK(RUN("explain", "a") == 2);
    CHECK(RUN("convert", "/tmp") == 2);
    CHECK(RUN("convert", "-f", "word", "/tmp") == 2);
    CHECK(RUN("convert", "-f", "eat", "/nowhere") == 1);
    CHECK(RUN("pubkey", "--report") == 2);
    CHECK(RUN("pubkey", "--report", "/nowhere") == 1);
    CHECK(RUN("pubkey", "--report", "a", "--storage", "b") == 2);
    CHECK(has(err, "either --report or --storage"));
    CHECK(RUN("keys", "--junk") == 2 && has(err, "cloister keys: "));
    CHECK(RUN("verify", "-n", "0011223344556677", "-k", "/no", "/tmp") == 1 &&
          has(err, "/no: No such file"));
    CHECK(RUN("seal", "-n", "0011223344556677") == 2);
    CHECK(RUN("seal", "-p", "/nowhere") == 2);
    CHECK(give("no key") && RUN("pubkey") == 1);
    CHECK(RUN("measure") == 2);
    CHECK(RUN("measure", "-k", "a", "-k", "b", "c") == 2);
    CHECK(RUN("measure", "--help") == 0 && has(out, "usage: cloister"));
}

/* Every command that reads; verify, explain and measure: in their own tests. */
TEST(json_has_its_schema)
{
    static const char *const commands[][2] = {
        {"status", NULL}, {"status", "web"}, {"list", NULL}, {"ok", NULL},
        {"why", NULL},    {"why", "web"},    {"log", NULL},  {"log", "web"},
        {"show", "web"},  {"show", "--host"}, {"net", NULL}, {"net", "web"},
    };
    struct json_object *answer;

    fake = healthy;
    make_logs();
    for ( unsigned int i = 0; i < sizeof(commands) / sizeof(commands[0]); i++ )
    {
        CHECK(RUN(commands[i][0], "--json", (char *)commands[i][1]) <= 1);
        answer = json_tokener_parse(out);
        CHECK(is(answer, "schema", "1"));
        json_object_put(answer);
    }
}

TEST(nothing_stays_open)
{
    fake = healthy;
    RUN("status");
    RUN("why", "nobody");
    RUN("protect", "web");
    fake.store_err = EIO;
    RUN("status");
    fake.call_err = ENOSYS;
    RUN("status");
    CHECK(fake.open_handles == 0 && fake.open_buffers == 0);
}
