/* SPDX-License-Identifier: BSD-2-Clause */
/* Settings of a guest's network card, as words. */
#ifndef CLOISTER_TOOLS_NETSET_H
#define CLOISTER_TOOLS_NETSET_H

#include <stdbool.h>

#include <abi/hypercall.h>

/* One SETTING=VALUE, into *set.  Complains and returns false if it is none. */
bool netset_parse(const char *arg, struct cloister_net_set *set);

/* As it is measured when the guest is launched. */
void netset_launch(const struct cloister_net_set *set,
                   struct cloister_launch_net *out);

#endif /* CLOISTER_TOOLS_NETSET_H */
