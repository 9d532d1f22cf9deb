/* The page's two halves as bytes of the program; report/page.c declares them. */
    .section .rodata
    .macro embed name, file
    .global \name
    .hidden \name
    .global \name\()_end
    .hidden \name\()_end
\name:
    .incbin "\file"
\name\()_end:
    .endm

    embed page_head, "head.html"
    embed page_tail, "tail.html"
    .section .note.GNU-stack, "", %progbits
