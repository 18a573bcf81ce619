/* SPDX-License-Identifier: BSD-2-Clause */
/* The demo's report as one HTML file that needs nothing else. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <png.h>

#include "report.h"

#define EXCERPT  16                     /* rows of text beside a picture */
#define COLUMNS  32                     /* bytes in one of them */

static void put_char(FILE *f, unsigned char c)
{
    if ( c < ' ' || c > '~' )
        fputs("\u00b7", f);
    else if ( strchr("<>&\"'", c) )
        fprintf(f, "&#%d;", c);
    else
        fputc(c, f);
}

static void put(FILE *f, const char *s)
{
    while ( *s )
        put_char(f, *s++);
}

/* Byte value to colour: a ramp through these points, dark to light. */
static void fill_palette(unsigned char palette[256][3])
{
    static const unsigned char points[][3] = {
        { 14, 17, 38 }, { 40, 80, 146 }, { 80, 186, 168 },
        { 206, 218, 132 }, { 253, 244, 208 },
    };
    unsigned int i, c;

    for ( i = 0; i < 256; i++ )
        for ( c = 0; c < 3; c++ )
            palette[i][c] = (points[i / 64][c] * (64 - i % 64) +
                             points[i / 64 + 1][c] * (i % 64)) / 64;
}

/* One pixel for each byte.  Returns the size; the caller frees *png. */
static size_t make_png(const struct run *run, unsigned char **png)
{
    png_image image = {
        .version = PNG_IMAGE_VERSION, .width = SIDE, .height = SIDE,
        .format = PNG_FORMAT_RGB_COLORMAP, .colormap_entries = 256,
    };
    unsigned char palette[256][3];
    png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);

    fill_palette(palette);
    *png = malloc(size);
    if ( !*png || !png_image_write_to_memory(&image, *png, &size, 0,
                                             run->dump, 0, palette) )
        fail("the picture");

    return size;
}

static void put_picture(FILE *f, const struct run *run)
{
    unsigned char *png;
    size_t size = make_png(run, &png);
    unsigned char *base64 = malloc(size / 3 * 4 + 8);

    if ( !base64 )
        fail("memory");
    EVP_EncodeBlock(base64, png, size);
    fprintf(f, "<img width=\"%d\" height=\"%d\" alt=\"64 KiB of guest memory "
            "on %s, one pixel per byte: %s\" src=\"data:image/png;base64,%s\">"
            "\n", SIDE, SIDE, run->title, dump_lines(run) ?
            "regular stripes, the text of the secret lines" :
            "even noise without any structure", base64);
    free(base64);
    free(png);
}

static void put_excerpt(FILE *f, const struct run *run)
{
    size_t at = number(run, "line0_at"), end = at + EXCERPT * COLUMNS;

    fputs("<pre>", f);
    for ( ; at < end && end <= DUMP; at++ )
    {
        if ( at % COLUMNS == 0 )
            fprintf(f, "<span>%04zx</span> ", at);
        put_char(f, run->dump[at]);
        if ( at % COLUMNS == COLUMNS - 1 )
            fputc('\n', f);
    }
    fputs("</pre>\n", f);
}

static void put_figure(FILE *f, const struct run *run)
{
    fprintf(f, "<figure class=\"%s\">\n<figcaption><h3>",
            run == STOCK ? "open" : "shut");
    put(f, run->title);
    fprintf(f, "</h3>\n<p>%s secret lines can be read here.</p></figcaption>\n"
            "<div class=\"view\">\n",
            grouped(dump_lines(run)));
    put_picture(f, run);
    put_excerpt(f, run);
    fputs("</div>\n</figure>\n", f);
}

static void put_row(FILE *f, const struct row *row)
{
    bool neutral = row->kind == CHECK;

    fputs("<tr><th scope=\"row\">", f);
    put(f, row->what);
    fprintf(f, "</th>\n<td%s>", neutral ? "" : " class=\"open\"");
    put(f, cell(row, STOCK));
    fprintf(f, "</td><td%s>", neutral ? "" : " class=\"shut\"");
    put(f, cell(row, CLOISTER));
    fputs("</td></tr>\n", f);
}

static void put_table(FILE *f)
{
    size_t i;

    fprintf(f, "<section>\n<h2>What dom0 gets</h2>\n<table>\n<caption>The "
            "guest holds %s secret lines of 64 bytes.</caption>\n<thead>"
            "<tr><th scope=\"col\">What dom0 tries</th>",
            grouped(number(CLOISTER, "total")));
    for ( i = 0; i < 2; i++ )
    {
        fputs("<th scope=\"col\">", f);
        put(f, runs[i].title);
        fputs("</th>", f);
    }
    fputs("</tr></thead>\n<tbody>\n", f);
    for ( i = 0; i < ROWS; i++ )
        if ( shown(&rows[i]) )
            put_row(f, &rows[i]);
    fputs("</tbody>\n</table>\n</section>\n", f);
}

static void put_pictures(FILE *f)
{
    fputs("<section>\n<h2>The same stretch of memory, as dom0 sees it</h2>\n"
          "<p>64&nbsp;KiB around the guest's first secret line, mapped by "
          "dom0 while the guest runs. One pixel is one byte, 256 in a row; "
          "with it, the bytes from that line on as text. "
          "<span class=\"scale\">Byte&nbsp;00&nbsp;<span class=\"ramp\">"
          "</span>&nbsp;ff</span></p>\n<div class=\"pair\">\n", f);
    put_figure(f, STOCK);
    put_figure(f, CLOISTER);
    fputs("</div>\n</section>\n", f);
}

static void put_term(FILE *f, const char *term, const struct run *run,
                     const char *name)
{
    fprintf(f, "<dt>%s</dt><dd>", term);
    put(f, text(run, name));
    fputs("</dd>\n", f);
}

static void put_footer(FILE *f)
{
    char date[32];
    time_t now = time(NULL);

    strftime(date, sizeof(date), "%Y-%m-%d %H:%M UTC", gmtime(&now));
    fputs("<section>\n<h2>How these figures came about</h2>\n<dl>\n", f);
    put_term(f, "Stock", STOCK, "xen");
    put_term(f, "Cloister", CLOISTER, "xen");
    put_term(f, "dom0", CLOISTER, "dom0");
    put_term(f, "Guest", CLOISTER, "guest");
    fprintf(f, "<dt>Date</dt><dd>%s</dd>\n</dl>\n<p>To see it for yourself: "
            "<code>make demo</code> in a checkout, as root, on Debian 12 or "
            "13. No special hardware is needed: the machine is emulated. "
            "Every figure is from the two runs; when they do not bear out "
            "what Cloister claims, the demo fails and there is no page.</p>\n"
            "</section>\n",
            date);
}

static void put_introduction(FILE *f)
{
    fprintf(f, "<header>\n<h1>A guest that dom0 cannot read</h1>\n"
            "<p>Cloister extends the Xen hypervisor so that the control "
            "domain manages PVH guests without reading or changing their "
            "memory. From the moment a guest first runs, dom0 that maps one "
            "of its pages is given a <em>view</em> instead: a read-only frame "
            "with the page's AES-256-GCM ciphertext, under a key that only "
            "the hypervisor has. <code>xl</code> and dom0's kernel stay "
            "the stock ones. Here the same guest ran twice on the same "
            "emulated machine, first on unmodified Xen, then on Cloister. It "
            "filled its memory with %s secret lines and checked them all the "
            "while; dom0 tried to get at them.</p>\n</header>\n",
            grouped(number(CLOISTER, "total")));
}

void write_page(FILE *f, const char *style)
{
    fprintf(f, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
            "<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
            "content=\"width=device-width, initial-scale=1\">\n"
            "<meta name=\"color-scheme\" content=\"light dark\">\n"
            "<title>Cloister: a guest that dom0 cannot read</title>\n"
            "<style>\n%s</style>\n</head>\n<body>\n<main>\n", style);
    put_introduction(f);
    put_table(f);
    put_pictures(f);
    put_footer(f);
    fputs("</main>\n</body>\n</html>\n", f);
}
