/*
 * rebuild_string.c - string values (rdb.c rdbGenericLoadStringObject, object.c tryObjectEncoding).
 */
#include "analyzer/rebuild.h"

enum string_kind rebuild_string_kind(struct rebuild *r, const struct rdb_element *e)
{
    const struct profile *pf = r->pf;
    int64_t v;
    if (e->form == RDB_F_INT)
        return integer_is_shared(r, e->num, false) ? STR_INT_SHARED : STR_INT;
    if (e->len <= (uint64_t)pf->int_text_max && element_integer(r, e, &v)) {
        if (integer_is_shared(r, v, true))
            return STR_INT_SHARED;
        return pf->int_keeps_embstr ? STR_INT_IN_EMBSTR : STR_INT;
    }
    return pf->embstr_max && e->len <= (uint64_t)pf->embstr_max ? STR_SHORT : STR_RAW;
}

bool rebuild_read_string(struct rebuild *r)
{
    struct rdb_element e;
    bool more;
    if (rdb_elements(r->p, &e, 1, &more) != 1 || (e.data == NULL && !element_is_there(r, &e)))
        return false;
    r->string = (struct string_value){.len = e.len, .kind = rebuild_string_kind(r, &e), .read = true};
    return true;
}

void rebuild_string(struct rebuild *r)
{
    if (!r->string.read && !rebuild_read_string(r))
        return;
    r->string.read = false;
    r->k->elements = r->k->largest = r->string.len;
    r->k->payload += r->string.len;
    key_alloc_string(r, r->string.kind, r->string.len);
}
