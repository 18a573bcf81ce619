/* SPDX-License-Identifier: BSD-2-Clause */
/* cloister net: the guests' network cards, and settings of one. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloister.h"
#include "domains.h"
#include "hyp.h"
#include "netset.h"
#include "output.h"

static const char *const drops[CLOISTER_NET_DROPS] = {CLOISTER_NET_DROP_NAMES};

static const char *link_name(const struct cloister_net_host *host)
{
    if ( !(host->flags & CLOISTER_NET_on) )
        return "off";
    if ( !(host->flags & CLOISTER_NET_nic) )
        return "internal";

    return host->flags & CLOISTER_NET_link ? "up" : "down";
}

static void mac_text(const uint8_t mac[6], char out[18])
{
    snprintf(out, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
             mac[3], mac[4], mac[5]);
}

static const char *state_name(const struct cloister_net_port *port)
{
    return port->up ? "up" : port->active ? "down" : "not sealed";
}

/* ---- Text ----------------------------------------------------------------
 */

static void text_host(const struct cloister_net_host *host)
{
    printf("Uplink:   %s", link_name(host));
    if ( host->flags & CLOISTER_NET_nic )
        printf(", NIC %04x:%02x:%02x.%x", host->sbdf >> 16,
               host->sbdf >> 8 & 0xff, host->sbdf >> 3 & 0x1f, host->sbdf & 7);
    if ( host->vlan )
        printf(", VLAN %u", host->vlan);
    printf("; %" PRIu32 " ports\n", host->ports);
    if ( host->flags & CLOISTER_NET_nic )
        printf("          received %" PRIu64 " frames, %" PRIu64
               " bytes (%" PRIu64 " for nobody), sent %" PRIu64
               " frames, %" PRIu64 " bytes, resets %" PRIu64 "\n",
               host->rx_frames, host->rx_bytes, host->unclaimed,
               host->tx_frames, host->tx_bytes, host->resets);
}

static void text_drops(const struct cloister_net_port *port)
{
    const char *separator = "    dropped  ";

    for ( size_t i = 0; i < CLOISTER_NET_DROPS; i++ )
    {
        if ( !port->drops[i] )
            continue;
        printf("%s%" PRIu64 " %s", separator, port->drops[i],
               drops[i] ? drops[i] : "for another reason");
        separator = ", ";
    }
    if ( *separator == ',' )
        putchar('\n');
}

static void text_port(const struct domain *dom,
                      const struct cloister_net_port *port)
{
    char label[128], mac[18];

    mac_text(port->mac, mac);
    printf("\n%s\n", domain_label(dom, label, sizeof(label)));
    printf("    card     %s, %s, MTU %u", mac, state_name(port), port->mtu);
    if ( port->vlan )
        printf(", VLAN %u", port->vlan);
    if ( port->isolated )
        printf(", isolated");
    if ( port->rate )
        printf(", at most %" PRIu64 " bytes/s", port->rate);
    printf("\n    sent     %" PRIu64 " frames, %" PRIu64 " bytes (%" PRIu64
           " doorbells)\n",
           port->tx_frames, port->tx_bytes, port->doorbells);
    printf("    received %" PRIu64 " frames, %" PRIu64 " bytes (%" PRIu64
           " interrupts)\n",
           port->rx_frames, port->rx_bytes, port->interrupts);
    text_drops(port);
    if ( port->violations )
        printf("    driver   broke the protocol %" PRIu64 " times, %" PRIu64
               " resets\n",
               port->violations, port->resets);
}

/* ---- JSON ----------------------------------------------------------------
 */

static void json_host(struct json_object *to,
                      const struct cloister_net_host *host)
{
    json_add_text(to, "uplink", link_name(host));
    json_add_number(to, "vlan", host->vlan);
    json_add_number(to, "ports", host->ports);
    json_add_number(to, "nic_rx_frames", host->rx_frames);
    json_add_number(to, "nic_rx_bytes", host->rx_bytes);
    json_add_number(to, "nic_rx_errors", host->rx_errors);
    json_add_number(to, "nic_rx_missed", host->rx_missed);
    json_add_number(to, "nic_tx_frames", host->tx_frames);
    json_add_number(to, "nic_tx_bytes", host->tx_bytes);
    json_add_number(to, "nic_tx_errors", host->tx_errors);
    json_add_number(to, "nic_resets", host->resets);
    json_add_number(to, "nic_link_changes", host->link_changes);
    json_add_number(to, "unclaimed", host->unclaimed);
}

static struct json_object *json_port(const struct domain *dom,
                                     const struct cloister_net_port *port)
{
    struct json_object *to = json_object_new_object();
    struct json_object *dropped = json_object_new_object();
    char mac[18];

    mac_text(port->mac, mac);
    json_add_text(to, "name", dom->name);
    json_add_number(to, "id", dom->id);
    json_add_text(to, "mac", mac);
    json_add_text(to, "state", state_name(port));
    json_add_number(to, "vlan", port->vlan);
    json_add_number(to, "mtu", port->mtu);
    json_add_flag(to, "isolated", port->isolated);
    json_add_number(to, "rate", port->rate);
    json_add_number(to, "tx_frames", port->tx_frames);
    json_add_number(to, "tx_bytes", port->tx_bytes);
    json_add_number(to, "rx_frames", port->rx_frames);
    json_add_number(to, "rx_bytes", port->rx_bytes);
    json_add_number(to, "doorbells", port->doorbells);
    json_add_number(to, "interrupts", port->interrupts);
    json_add_number(to, "violations", port->violations);
    json_add_number(to, "resets", port->resets);
    for ( size_t i = 0; i < CLOISTER_NET_DROPS && drops[i]; i++ )
        json_add_number(dropped, drops[i], port->drops[i]);
    json_object_object_add(to, "drops", dropped);

    return to;
}

/* ---- Showing -------------------------------------------------------------
 */

/* Of all domains, or of one, those that have a card. */
static enum cli_exit show(struct hyp *hyp, const struct request *req,
                          const struct domains *domains,
                          const struct domain *only)
{
    struct cloister_net_host host;
    struct json_object *answer, *list;
    int rc = hyp_net_host(hyp, &host);

    if ( rc )
        return hyp_complain(rc, "asking for the network");
    answer = json_new_answer();
    list = json_object_new_array();
    json_host(answer, &host);
    if ( !req->json )
        text_host(&host);
    for ( size_t i = 0; i < domains->count; i++ )
    {
        const struct domain *dom = &domains->list[i];
        struct cloister_net_port port;

        if ( (only && only->id != dom->id) ||
             hyp_net_port(hyp, dom->id, &port) )
            continue;
        if ( req->json )
            json_object_array_add(list, json_port(dom, &port));
        else
            text_port(dom, &port);
    }
    json_object_object_add(answer, "guests", list);
    if ( req->json )
        json_finish(answer);
    else
        json_object_put(answer);

    return CLI_OK;
}

/* ---- Setting -------------------------------------------------------------
 */

static bool parse(const struct request *req, struct cloister_net_set *set)
{
    for ( int i = 1; i < req->nr_args; i++ )
        if ( !netset_parse(req->args[i], set) )
            return false;

    return true;
}

static enum cli_exit change(struct hyp *hyp, const struct request *req,
                            struct cloister_net_set *set)
{
    int rc = hyp_net_set(hyp, set);

    if ( rc == -ENODEV )
    {
        complain("%s: no network card: not a PVH guest, or Xen was booted "
                 "without siom=",
                 req->domain);
        return CLI_UNSUPPORTED;
    }

    return rc ? hyp_complain(rc, req->domain) : CLI_OK;
}

enum cli_exit cmd_net(const struct request *req)
{
    struct cloister_host host;
    struct cloister_net_set set = {0};
    struct domains domains = {0};
    const struct domain *dom = NULL;
    struct hyp *hyp;
    enum cli_exit status;

    if ( !parse(req, &set) )
        return CLI_USAGE;
    status = hyp_start(&hyp, &host);
    if ( !status )
        status = domains_start(&domains);
    if ( !status && req->domain )
    {
        dom = domains_find(&domains, req->domain);
        if ( !dom )
            status = hyp_complain(-ESRCH, req->domain);
        else
            set.domid = (uint16_t)dom->id;
    }
    if ( !status )
        status = req->nr_args > 1 ? change(hyp, req, &set)
                                  : show(hyp, req, &domains, dom);

    hyp_close(hyp);
    domains_free(&domains);

    return status;
}
