/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Authenticated decryption of whatever the input is, by vectors of every
 * width that this CPU has, and by OpenSSL: all say the same.  Then sealed, so
 * that some texts are good, and opened with a bit flipped.
 *
 * Sources: crypto/aes256gcm_sse.c crypto/aes256gcm_sse_key.c
 * Sources: crypto/aes256gcm_avx.c crypto/aes256gcm_vaes256.c
 * Sources: crypto/aes256gcm_vaes512.c
 * Libs: -lcrypto
 * Runs: 3000
 */
#include <errno.h>

#include <openssl/evp.h>

#include <cloister/gcm.h>

#include "../fuzz/input.h"

struct message
{
    uint8_t key[32], nonce[12], aad[48], tag[16];
    size_t aadlen, len;
    uint8_t *in, *out, *peer;
};

static enum cl_gcm_impl best_impl(void)
{
    uint32_t eax = 1, ebx, ecx = 0, edx, low = 0, high = 0;

    __asm__ ( "cpuid" : "+a" (eax), "=b" (ebx), "+c" (ecx), "=d" (edx) );
    if ( ecx & 1u << 27 ) /* OSXSAVE */
        __asm__ ( "xgetbv" : "=a" (low), "=d" (high) : "c" (0) );

    return cl_gcm_best((uint64_t)high << 32 | low);
}

static int openssl_opens(struct message *m)
{
    static EVP_CIPHER_CTX *c;
    int n;

    if ( !c )
        c = EVP_CIPHER_CTX_new();
    EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, m->key, m->nonce);
    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, 16, m->tag);
    EVP_DecryptUpdate(c, NULL, &n, m->aad, (int)m->aadlen);
    EVP_DecryptUpdate(c, m->peer, &n, m->in, (int)m->len);

    return EVP_DecryptFinal_ex(c, m->peer + n, &n) == 1;
}

static void open_all(struct message *m)
{
    int good = openssl_opens(m), rc;
    struct cl_gcm_key k;
    enum cl_gcm_impl impl;
    size_t i;

    MUST(!cl_gcm_init(&k, m->key));
    for ( impl = CL_GCM_SSE; impl <= best_impl(); impl++ )
    {
        const struct cl_gcm_job j = {
            .key = &k, .nonce = m->nonce, .aad = m->aad, .aadlen = m->aadlen,
            .in = m->in, .out = m->out, .tag = m->tag,
        };

        memset(m->out, 0x77, m->len);
        rc = cl_gcm_open_job(impl, &j, m->len);
        MUST(rc == (good ? 0 : -EBADMSG));
        MUST(!good || !memcmp(m->out, m->peer, m->len));
        for ( i = 0; !good && i < m->len; i++ )
            MUST(!m->out[i]);
    }
}

static void seal(struct message *m, enum cl_gcm_impl impl)
{
    struct cl_gcm_key k;
    const struct cl_gcm_job j = {
        .key = &k, .nonce = m->nonce, .aad = m->aad, .aadlen = m->aadlen,
        .in = m->in, .out = m->in, .tag = m->tag,
    };

    MUST(!cl_gcm_init(&k, m->key));
    cl_gcm_seal_jobs(impl, &j, 1, NULL, m->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = { data, size };
    struct message m;
    uint8_t flip;

    take(&in, m.key, sizeof(m.key));
    take(&in, m.nonce, sizeof(m.nonce));
    take(&in, m.tag, sizeof(m.tag));
    m.aadlen = take8(&in) % sizeof(m.aad);
    take(&in, m.aad, m.aadlen);
    flip = take8(&in);
    m.len = in.left + (flip & 1 ? take8(&in) * 16 : 0);
    m.in = malloc(m.len + 1);
    m.out = malloc(m.len + 1);
    m.peer = malloc(m.len + 17);
    if ( !m.in || !m.out || !m.peer )
        abort();
    take(&in, m.in, m.len);

    open_all(&m);
    seal(&m, flip % (best_impl() + 1u));
    MUST(openssl_opens(&m));
    open_all(&m);
    if ( m.len )
        m.in[flip % m.len] ^= 1 << flip % 8;
    else
        m.tag[flip % 16] ^= 1 << flip % 8;
    MUST(!openssl_opens(&m));
    open_all(&m);
    free(m.in);
    free(m.out);
    free(m.peer);

    return 0;
}
