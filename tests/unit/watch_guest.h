/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the engine may write to a guest's memory: to used rings, and to
 * buffers that were posted for the device to write to.  A look before a step of
 * the engine, and the question after it whether it has written elsewhere.
 */
#ifndef WATCH_GUEST_H
#define WATCH_GUEST_H

#include "model_guest.h"

#define WATCHED (24u * 4096u) /* of the memory, from address 0 on */

struct watch
{
    const struct guest *guest;
    /*
     * Rings and buffers do not overlap.  Where they do, what the engine writes
     * may post new buffers, and nothing can be said about where it may write.
     */
    bool apart;
    uint8_t before[WATCHED], allowed[WATCHED];
};

void watch_look(struct watch *w, const struct guest *g);
bool watch_clean(struct watch *w);

#endif /* WATCH_GUEST_H */
