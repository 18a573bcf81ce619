/* SPDX-License-Identifier: GPL-2.0-only */
/* HVM contexts: a header, the registers of one vCPU, what is registered. */
#include "private.h"
#include "fake_host.h"
#include "siom.h"

#define DESC sizeof(struct hvm_save_descriptor)

static struct
{
    hvm_save_handler *save;
    hvm_check_handler *check;
    hvm_load_handler *load;
    uint16_t code;
} record;

void hvm_register_savevm(uint16_t code, const char *name,
                         hvm_save_handler *save, hvm_check_handler *check,
                         hvm_load_handler *load, size_t size, int kind)
{
    record.save = save;
    record.check = check;
    record.load = load;
    record.code = code;
}

size_t hvm_save_size(struct domain *d)
{
    return 4 * DESC + sizeof(struct hvm_save_header) +
           sizeof(FAKE_REGISTERS) + sizeof(struct cl_siom_saved);
}

int _hvm_init_entry(struct hvm_domain_context *h, uint16_t code,
                    uint16_t instance, uint32_t length)
{
    struct hvm_save_descriptor *desc = (void *)(h->data + h->cur);

    if ( h->size - h->cur < DESC + length )
        return -1;
    desc->typecode = code;
    desc->instance = instance;
    desc->length = length;
    h->cur += DESC;

    return 0;
}

void _hvm_write_entry(struct hvm_domain_context *h, const void *from,
                      uint32_t length)
{
    memcpy(h->data + h->cur, from, length);
    h->cur += length;
}

int _hvm_check_entry(struct hvm_domain_context *h, uint16_t code,
                     uint32_t length, bool strict)
{
    const struct hvm_save_descriptor *desc = (const void *)(h->data + h->cur);

    if ( h->size - h->cur < DESC + length || desc->typecode != code ||
         desc->length != length )
        return -1;
    h->cur += DESC;

    return 0;
}

void _hvm_read_entry(struct hvm_domain_context *h, void *to, uint32_t length)
{
    memcpy(to, h->data + h->cur, length);
    h->cur += length;
}

int hvm_save(struct domain *d, struct hvm_domain_context *h)
{
    const struct hvm_save_header header = {.magic = HVM_FILE_MAGIC};

    h->cur = 0;
    if ( _hvm_init_entry(h, HVM_SAVE_CODE(HEADER), 0, sizeof(header)) )
        return -ENOSPC;
    _hvm_write_entry(h, &header, sizeof(header));
    if ( _hvm_init_entry(h, HVM_SAVE_CODE(CPU), 0, sizeof(FAKE_REGISTERS)) )
        return -ENOSPC;
    _hvm_write_entry(h, FAKE_REGISTERS, sizeof(FAKE_REGISTERS));
    if ( record.save(d->vcpu[0], h) )
        return -ENOSPC;

    return _hvm_init_entry(h, HVM_SAVE_CODE(END), 0, 0) ? -ENOSPC : 0;
}

/* As Xen does it: nothing but descriptors is looked at, and what is ours. */
int hvm_load(struct domain *d, bool real, struct hvm_domain_context *h)
{
    const struct hvm_save_descriptor *desc;
    int rc = 0;

    h->cur = DESC + sizeof(struct hvm_save_header);
    if ( h->size < h->cur )
        return -EINVAL;
    while ( !rc && h->size - h->cur >= DESC )
    {
        desc = (const void *)(h->data + h->cur);
        if ( desc->typecode == HVM_SAVE_CODE(END) )
            return 0;
        if ( desc->length > h->size - h->cur - DESC )
            return -ENODATA;
        if ( desc->typecode == record.code )
            rc = real ? record.load(d, h) : record.check(d, h);
        else
            h->cur += DESC + desc->length;
    }

    return rc ? rc : -ENODATA;
}

int hvm_save_one(struct domain *d, unsigned int type, unsigned int instance,
                 XEN_GUEST_HANDLE_64(uint8) to, uint64_t *size)
{
    return -ENODATA;
}
