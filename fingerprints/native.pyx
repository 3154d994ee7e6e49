# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""A page as flat tables of elements, attributes and runs of text, read in one pass.

Reads as a browser without scripting does (HTML Living Standard, 13.2), but for what no rule can see:
misnested formatting is closed rather than rebuilt, and no table content is moved. Every loop goes forward
through the page or up a stack of bounded depth, so the time is linear in the page, whatever it holds.

Optional: where no compiler was at hand, `fingerprints.lxml_tree` does the same more slowly.

Safe on any bytes: every read stays below `end`, or on the NUL that CPython keeps after a bytes object. A
`<noscript>` ends at its end tag whatever is open in it: to a browser with scripts all of it is text.
"""

import os
import sys
from html import unescape
from html.entities import html5

from fingerprints.tags import NOT_FETCHED, REFERENCE_NAMES, UNSEEN_TAGS

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_Resize
from cpython.unicode cimport PyUnicode_AsUTF8AndSize, PyUnicode_DecodeUTF8
from libc.stdint cimport uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memchr, memcmp, memcpy, memset

cdef extern from "Python.h":
    int PyUnicode_KIND(object text)
    void* PyUnicode_DATA(object text)
    Py_UCS4 PyUnicode_READ(int kind, void* data, Py_ssize_t index)

INTERFACE = 8
"""Raised when a name or its meaning changes: a module compiled from an older source is not used."""

cdef enum:
    MAX_BYTES = 1 << 30
    MAX_DEPTH = 2_048  # deeper elements are read, as children of the last one that fits
    MAX_WALK = 100  # how far up the stack a tag looks for what it closes
    MAX_NAMES = 20_000
    MAX_PROBES = 64
    MAX_ELEMENTS = 300_000
    MAX_ATTRIBUTES = 600_000
    MAX_STEPS = 8  # a bit of a byte each
    MAX_RUNS = 20_000  # of one element, when all its text is asked for
    MAX_CONDITIONS = 12

# What a tag is, as bits of one number.
cdef enum:
    VOID = 1 << 0
    RAW = 1 << 1  # its text is read as it stands, up to its end tag
    REFERENCES = 1 << 2  # raw, but with character references
    SCRIPT = 1 << 3
    HEAD_CONTENT = 1 << 4
    CLOSES_P = 1 << 5
    SPECIAL = 1 << 6
    SCOPE = 1 << 7
    UNSEEN = 1 << 8  # shows nothing, with all that is in it
    HIDDEN = 1 << 9  # its own text is not shown
    HEADING = 1 << 10
    FOREIGN = 1 << 11
    IS_HTML = 1 << 12
    IS_HEAD = 1 << 13
    IS_BODY = 1 << 14
    IS_P = 1 << 15
    IS_LI = 1 << 16
    IS_DD_DT = 1 << 17
    IS_OPTION = 1 << 18
    IS_CELL = 1 << 19
    IS_ROW = 1 << 20
    IS_SECTION = 1 << 21
    IS_TABLE = 1 << 22
    IS_A = 1 << 23
    IS_BUTTON = 1 << 24
    BOUNDS_ITEM = 1 << 26  # a list item that is open around it does not end inside
    IS_PLAINTEXT = 1 << 27
    REFERENCE = 1 << 28  # an attribute that always holds a URL
    IS_DATA = 1 << 29  # an attribute that holds one on an `<object>`
    IS_OBJECT = 1 << 30

_SPECIAL = (
    "address applet area article aside base basefont bgsound blockquote body br button caption center col colgroup dd details dir div dl dt embed fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html iframe img input keygen li link listing main marquee menu meta nav noembed noframes noscript object ol p param plaintext pre script search section select source style summary table tbody td template textarea tfoot th thead title tr track ul wbr xmp"
)

_TAGS = {}
for _bit, _names in (
    (VOID, "area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr"),
    (RAW, "script style xmp iframe noembed noframes plaintext"),
    (RAW | REFERENCES, "textarea title"),
    (SCRIPT, "script"),
    (HEAD_CONTENT, "base basefont bgsound link meta title script style noscript template noframes"),
    (CLOSES_P, "address article aside blockquote center details dialog dir div dl fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr main menu nav ol p pre section table ul li dd dt xmp plaintext listing summary search"),
    (SPECIAL, _SPECIAL),
    (BOUNDS_ITEM, " ".join(set(_SPECIAL.split()) - {"address", "div", "p"})),
    (SCOPE, "applet caption html table td th marquee object template foreignobject"),
    (UNSEEN, " ".join(UNSEEN_TAGS)),
    (HIDDEN, "script style noscript template head"),
    (HEADING, "h1 h2 h3 h4 h5 h6"),
    (FOREIGN, "svg math"),
    (IS_HTML, "html"),
    (IS_HEAD, "head"),
    (IS_BODY, "body frameset"),
    (IS_P, "p"),
    (IS_LI, "li"),
    (IS_DD_DT, "dd dt"),
    (IS_OPTION, "option"),
    (IS_CELL, "td th"),
    (IS_ROW, "tr"),
    (IS_SECTION, "tbody thead tfoot"),
    (IS_TABLE, "table"),
    (IS_A, "a"),
    (IS_BUTTON, "button"),
    (IS_PLAINTEXT, "plaintext"),
    (REFERENCE, " ".join(REFERENCE_NAMES)),
    (IS_DATA, "data"),
    (IS_OBJECT, "object"),
):
    for _name in _names.split():
        _TAGS[_name.encode()] = _TAGS.get(_name.encode(), 0) | _bit

cdef struct Name:
    const char* text  # lower case
    int length
    int flags
    int open_count
    int first_attribute
    int last_attribute
    int attribute_count
    int last_tag  # number of the start tag that had it last
    int merged  # a bit for each of html, head and body that has it: their tags may come again
    uint64_t hash

cdef struct ElementRow:
    int tag
    int parent
    int first_attribute
    int last_attribute
    int first_run
    int end_run
    int end  # elements from the next one up to this one are inside
    bint is_unseen

cdef struct AttributeRow:
    int name
    int element
    const char* value
    int length
    int next_of_element
    int next_of_name

cdef struct Run:
    const char* text
    int length
    int parent
    int opened  # how many elements were open or closed before it
    bint is_plain  # without character references

cdef unsigned char LOWER[256]
cdef unsigned char CLASS[256]
cdef enum:
    SPACE = 1
    ENDS_TAG_NAME = 2
    ENDS_NAME = 4
    ENDS_BARE_VALUE = 8
    LETTER = 16
    DIGIT = 32

cdef int _i
for _i in range(256):
    LOWER[_i] = _i + 32 if 65 <= _i <= 90 else _i
    CLASS[_i] = LETTER if 65 <= _i <= 90 or 97 <= _i <= 122 else DIGIT if 48 <= _i <= 57 else 0
for _i in b" \t\n\r\f\0":
    CLASS[_i] |= SPACE | ENDS_TAG_NAME | ENDS_NAME | ENDS_BARE_VALUE
for _i in b"/>":
    CLASS[_i] |= ENDS_TAG_NAME | ENDS_NAME
CLASS[ord("=")] |= ENDS_NAME
CLASS[ord(">")] |= ENDS_BARE_VALUE

cdef uint64_t SEED = int.from_bytes(os.urandom(8), "little")


cdef inline uint64_t hashed(const char* text, int length) noexcept:
    """Of a name in any case. Who finds names that collide meets MAX_PROBES."""
    cdef uint64_t result = SEED ^ <uint64_t>length
    cdef uint64_t word
    while length > 0:
        word = 0
        memcpy(&word, text, 8 if length >= 8 else length)
        result = (result ^ (word | <uint64_t>0x2020202020202020)) * <uint64_t>0x9E3779B97F4A7C15
        result ^= result >> 32
        text += 8
        length -= 8
    result = (result ^ (result >> 29)) * <uint64_t>0xBF58476D1CE4E5B9
    return result ^ (result >> 32)


cdef inline bint is_same(const char* lower, const char* text, int length) noexcept:
    cdef int i
    for i in range(length):
        if lower[i] != <char>LOWER[<unsigned char>text[i]]:
            return False
    return True


cdef const char* found(const char* text, Py_ssize_t length, const char* wanted, int size) noexcept:
    """Where `wanted` first stands in the text, or NULL."""
    cdef const char* at = text
    cdef const char* last = text + length - size
    while at <= last:
        at = <const char*>memchr(at, wanted[0], last - at + 1)
        if at is NULL:
            return NULL
        if memcmp(at, wanted, size) == 0:
            return at
        at += 1
    return NULL


cdef inline str decoded(const char* text, int length):
    return PyUnicode_DecodeUTF8(text, length, "replace")


cdef class Element:
    """One element of a `Tree`; as good as its equal."""

    cdef readonly Tree tree
    cdef readonly int index

    def __eq__(self, other):
        return isinstance(other, Element) and (<Element>other).index == self.index and (<Element>other).tree is self.tree

    def __hash__(self):
        return self.index

    @property
    def tag(self):
        return self.tree.names_as_text[self.tree.elements_[self.index].tag]

    @property
    def parent(self):
        """The number of the element that this one is a child of, in page order; -1 for the root."""
        return self.tree.elements_[self.index].parent

    @property
    def text(self):
        """Text before the first child."""
        return self.tree.text_from(self.index)

    @property
    def lead(self):
        """Text before the first child or, where there is none, that child's."""
        text = self.tree.text_from(self.index)
        if not text and self.tree.elements_[self.index].end > self.index + 1:
            text = self.tree.text_from(self.index + 1)
        return text

    @property
    def content(self):
        """All text inside, in UTF-8."""
        cdef ElementRow* row = &self.tree.elements_[self.index]
        return self.tree.runs_between(row.first_run, row.end_run)

    def get(self, str name):
        """The value of an attribute, or None."""
        cdef AttributeRow* attribute = self.tree.attribute_of(self.index, self.tree.known(name))
        return None if attribute is NULL else decoded(attribute.value, attribute.length)

    def get_bytes(self, str name):
        """The value of an attribute in UTF-8, or None."""
        cdef AttributeRow* attribute = self.tree.attribute_of(self.index, self.tree.known(name))
        return None if attribute is NULL else attribute.value[:attribute.length]

    def items(self):
        cdef list result = []
        cdef AttributeRow* attribute
        cdef int at = self.tree.elements_[self.index].first_attribute
        while at >= 0:
            attribute = &self.tree.attributes_[at]
            result.append((self.tree.names_as_text[attribute.name], decoded(attribute.value, attribute.length)))
            at = attribute.next_of_element
        return result

    def references(self):
        """Values of the attributes that hold a URL: see `tags.is_reference`."""
        cdef list result = []
        cdef AttributeRow* attribute
        cdef int tag = self.tree.names[self.tree.elements_[self.index].tag].flags
        cdef int at = self.tree.elements_[self.index].first_attribute
        while at >= 0:
            attribute = &self.tree.attributes_[at]
            if attribute.length and is_reference(tag, &self.tree.names[attribute.name], attribute):
                result.append(decoded(attribute.value, attribute.length))
            at = attribute.next_of_element
        return result


cdef bint is_reference(int tag, Name* name, AttributeRow* attribute) noexcept:
    if name.flags & REFERENCE or (name.flags & IS_DATA and tag & IS_OBJECT):
        return True
    cdef bint is_src = name.length >= 3 and memcmp(name.text + name.length - 3, b"src", 3) == 0
    if is_src and name.length >= 5 and memcmp(name.text, b"data-", 5) == 0:
        return True
    if tag & SCRIPT and attribute.length >= 5 and is_same(b"data:", attribute.value, 5):
        return True
    return (is_src or tag & SCRIPT) and found(attribute.value, min(attribute.length, 8), b"//", 2) is not NULL


cdef const char* after_scheme(const char* at, const char* end) noexcept:
    """What follows `//` in a URL with or without its scheme; NULL for any other."""
    while at < end and <unsigned char>at[0] <= 32:
        at += 1
    if end - at >= 7 and is_same(b"http", at, 4):
        at += 4
        if LOWER[<unsigned char>at[0]] == c's':
            at += 1
        if at[0] != c':':
            return NULL
        at += 1
    return at + 2 if end - at >= 2 and at[0] == c'/' and at[1] == c'/' else NULL


cdef class Tree:
    """The page; give it bytes in UTF-8."""

    cdef readonly bytes body
    cdef readonly bint is_cut
    """Whether elements or attributes were left out because there were too many."""
    cdef const char* end_
    cdef Name* names
    cdef int name_count, name_capacity
    cdef int* slots
    cdef int slot_count
    cdef list names_as_text
    cdef list kept  # what rows point into
    cdef char* arena  # so do they into this: values without their references
    cdef char* written  # up to here
    cdef ElementRow* elements_
    cdef int element_count, element_capacity
    cdef AttributeRow* attributes_
    cdef int attribute_count, attribute_capacity
    cdef Run* runs
    cdef int run_count, run_capacity
    cdef int stack[MAX_DEPTH]
    cdef int depth
    cdef int tag_number
    cdef int head, body_element, foreign_depth
    cdef int noscript, image  # numbers of these names
    cdef readonly int most_attributes
    """Of one start tag."""
    cdef const char* noscript_end  # the first from where it was last looked for

    def __cinit__(self, bytes body):
        if len(body) > MAX_BYTES:
            raise ValueError("a page of more than a gigabyte")
        self.body = body
        self.names_as_text = []
        self.kept = []
        self.slot_count = 512
        self.slots = <int*>calloc(self.slot_count, sizeof(int))
        if self.slots is NULL:
            raise MemoryError
        self.head = self.body_element = -1
        self.name_("", 0)  # index 0: a name that was one too many
        self.noscript = self.name_("noscript", 8)
        self.image = self.name_("image", 5)
        self.noscript_end = NULL
        self.open_(self.name_("html", 4))
        self.read()

    def __dealloc__(self):
        free(self.slots)
        free(self.names)
        free(self.elements_)
        free(self.attributes_)
        free(self.runs)
        free(self.arena)

    # --- names ---

    cdef int name_(self, const char* text, int length) except -1:
        """The number of a name, which is noted when it is new; 0 when there are too many."""
        cdef uint64_t code = hashed(text, length)
        cdef int slot = <int>(code & <uint64_t>(self.slot_count - 1))
        cdef int probes = 0
        cdef Name* name
        while self.slots[slot]:
            name = &self.names[self.slots[slot] - 1]
            if name.length == length and is_same(name.text, text, length):
                return self.slots[slot] - 1
            probes += 1
            if probes > MAX_PROBES:
                self.is_cut = True
                return 0
            slot = (slot + 1) & (self.slot_count - 1)
        if self.name_count >= MAX_NAMES:
            self.is_cut = True
            return 0
        return self.new_name(text, length, code)

    cdef int new_name(self, const char* text, int length, uint64_t code) except -1:
        cdef bytes lower = text[:length].lower()
        self.kept.append(lower)
        self.names_as_text.append(lower.decode("utf-8", "replace"))
        if self.name_count == self.name_capacity:
            self.names = <Name*>grown(self.names, &self.name_capacity, sizeof(Name))
        cdef Name* name = &self.names[self.name_count]
        name.text = lower
        name.length = length
        name.flags = _TAGS.get(lower, 0)
        name.open_count = name.attribute_count = name.merged = 0
        name.first_attribute = name.last_attribute = name.last_tag = -1
        name.hash = code
        self.name_count += 1
        if 2 * self.name_count > self.slot_count:
            self.more_slots()
        else:
            self.place(self.name_count - 1)
        return self.name_count - 1

    cdef int more_slots(self) except -1:
        cdef int* slots = <int*>calloc(2 * self.slot_count, sizeof(int))
        cdef int number
        if slots is NULL:
            raise MemoryError
        free(self.slots)
        self.slots = slots
        self.slot_count *= 2
        for number in range(self.name_count):
            self.place(number)
        return 0

    cdef void place(self, int number) noexcept:
        cdef int slot = <int>(self.names[number].hash & <uint64_t>(self.slot_count - 1))
        while self.slots[slot]:
            slot = (slot + 1) & (self.slot_count - 1)
        self.slots[slot] = number + 1

    cdef int lookup(self, const char* text, int length) noexcept:
        """The number of a lower-case name, or -1 when the page does not have it."""
        cdef int slot = <int>(hashed(text, length) & <uint64_t>(self.slot_count - 1))
        cdef Name* name
        while self.slots[slot]:
            name = &self.names[self.slots[slot] - 1]
            if name.length == length and memcmp(name.text, text, length) == 0:
                return self.slots[slot] - 1
            slot = (slot + 1) & (self.slot_count - 1)
        return -1

    cdef int known(self, str name) except -2:
        cdef Py_ssize_t length
        cdef const char* text = PyUnicode_AsUTF8AndSize(name, &length)
        return self.lookup(text, <int>length)

    # --- reading ---

    cdef int read(self) except -1:
        cdef const char* at = self.body
        self.end_ = at + len(self.body)
        cdef const char* end = self.end_
        cdef const char* text = at
        cdef const char* tag
        cdef unsigned char next_char
        while at < end:
            tag = <const char*>memchr(at, c'<', end - at)
            if tag is NULL:
                break
            next_char = <unsigned char>tag[1]
            if CLASS[next_char] & LETTER:
                self.text_(text, tag)
                at = text = self.start_tag(tag + 1)
            elif next_char == c'/' and CLASS[<unsigned char>tag[2]] & LETTER:
                self.text_(text, tag)
                at = text = self.end_tag(tag + 2)
            elif next_char == c'!' or next_char == c'?' or next_char == c'/':
                self.text_(text, tag)
                at = text = self.after_comment(tag)
            else:
                at = tag + 1
        self.text_(text, end)
        while self.depth:
            self.pop()
        return 0

    cdef const char* limit(self, const char* at) noexcept:
        """How far what begins here may go: whatever is open in a fallback, it ends where that does."""
        return self.end_of_noscript(at) if self.names[self.noscript].open_count else self.end_

    cdef const char* after_comment(self, const char* tag) except NULL:
        """The end of a comment, or of what is read as one."""
        cdef const char* end = self.limit(tag)
        cdef const char* at
        if end - tag >= 4 and memcmp(tag, b"<!--", 4) == 0:
            if tag[4] == c'>':
                return tag + 5
            if tag[4] == c'-' and tag[5] == c'>':
                return tag + 6
            at = tag + 4
            while at < end:
                at = found(at, end - at, b"--", 2)
                if at is NULL:
                    return end
                if at[2] == c'>':
                    return at + 3
                if at[2] == c'!' and at[3] == c'>':
                    return at + 4
                at += 1
            return end
        if end - tag >= 9 and memcmp(tag, b"<![CDATA[", 9) == 0 and self.is_foreign():
            at = found(tag, end - tag, b"]]>", 3)
            return end if at is NULL else at + 3
        at = <const char*>memchr(tag, c'>', end - tag)
        return end if at is NULL else at + 1

    cdef bint is_foreign(self) noexcept:
        """Whether SVG or MathML is being read, where other rules hold."""
        return self.foreign_depth > 0 and self.nearest(FOREIGN, SPECIAL | SCOPE) > 0

    cdef const char* start_tag(self, const char* at) except NULL:
        cdef const char* end = self.limit(at)
        cdef const char* name = at
        cdef bint is_foreign = self.is_foreign()
        while not CLASS[<unsigned char>at[0]] & ENDS_TAG_NAME:
            at += 1
        cdef int tag = self.name_(name, <int>(at - name))
        if tag == self.image and not is_foreign:
            tag = self.name_("img", 3)
        cdef int flags = self.names[tag].flags
        cdef int elements = self.element_count
        cdef int attributes = self.attribute_count
        cdef int element = self.place_for(tag, flags)
        self.tag_number += 1
        cdef bint closes_itself = False
        cdef const char* value
        cdef int length
        while True:
            while at < end and (CLASS[<unsigned char>at[0]] & SPACE or at[0] == c'/'):
                closes_itself = at[0] == c'/'
                at += 1
            if at >= end:
                if end == self.end_:
                    self.forget(elements, attributes)
                return end
            if at[0] == c'>':
                at += 1
                break
            closes_itself = False
            name = at
            at += 1  # also a `=`, which is part of a name here
            while not CLASS[<unsigned char>at[0]] & ENDS_NAME:
                at += 1
            length = <int>(at - name)
            while at < end and CLASS[<unsigned char>at[0]] & SPACE:
                at += 1
            value = at
            if at[0] != c'=':
                self.attribute(element, self.name_(name, length), value, 0)
                continue
            at += 1
            while at < end and CLASS[<unsigned char>at[0]] & SPACE:
                at += 1
            value = at
            if at[0] == c'"' or at[0] == c"'":
                value = at + 1
                at = <const char*>memchr(value, at[0], end - value)
                if at is NULL:
                    at = end  # not read: it would be half of something
                    continue
                self.attribute(element, self.name_(name, length), value, <int>(at - value))
                at += 1
            else:
                while at < end and not CLASS[<unsigned char>at[0]] & ENDS_BARE_VALUE:
                    at += 1
                self.attribute(element, self.name_(name, length), value, <int>(at - value))
        self.most_attributes = max(self.most_attributes, self.attribute_count - attributes)
        if flags & VOID or (closes_itself and (is_foreign or flags & FOREIGN)):
            if element >= 0 and self.depth and self.stack[self.depth - 1] == element:
                self.pop()
        elif flags & RAW and (flags & SCRIPT or not is_foreign):
            at = self.raw_text(element, tag, at)
        return at

    cdef void forget(self, int elements, int attributes) noexcept:
        """Take back a tag that the page ends inside of: half a URL would be another host's."""
        cdef int number
        cdef Name* name
        while self.depth and self.stack[self.depth - 1] >= elements:
            self.pop()
        self.element_count = elements
        self.attribute_count = attributes
        for number in range(self.name_count):
            name = &self.names[number]
            name.first_attribute = name.last_attribute = -1
            name.attribute_count = 0
        for number in range(elements):
            self.elements_[number].first_attribute = self.elements_[number].last_attribute = -1
        for number in range(attributes):
            self.link(number)

    cdef const char* raw_text(self, int element, int tag, const char* at) except NULL:
        """Note the text up to the end tag; what follows that."""
        cdef int flags = self.names[tag].flags
        cdef const char* stop = self.limit(at) if flags & IS_PLAINTEXT else self.end_of_raw(tag, at)
        if stop > at:
            self.run(at, stop, not flags & REFERENCES)
        if self.depth and self.stack[self.depth - 1] == element:
            self.pop()
        if not self.is_tag(stop + 2, &self.names[tag]):
            return stop
        cdef const char* close = <const char*>memchr(stop, c'>', self.end_ - stop)
        return self.end_ if close is NULL else close + 1

    cdef const char* end_of_raw(self, int tag, const char* at) noexcept:
        """Where the end tag begins. A script that holds `<!-- <script>` goes on to the second end tag."""
        cdef Name* name = &self.names[tag]
        cdef bint is_script = name.flags & SCRIPT
        cdef int escaped = 0
        cdef const char* end = self.limit(at)
        cdef const char* open_tag
        while at < end:
            open_tag = <const char*>memchr(at, c'<', end - at)
            if open_tag is NULL:
                return end
            if escaped and found(at, open_tag - at, b"-->", 3) is not NULL:
                escaped = 0
            if open_tag[1] == c'/' and self.is_tag(open_tag + 2, name):
                if escaped < 2:
                    return open_tag
                escaped = 1
            elif is_script and not escaped and end - open_tag >= 4 and memcmp(open_tag, b"<!--", 4) == 0:
                escaped = 1
                at = open_tag + 2  # its hyphens may be those of the comment's end
                continue
            elif escaped == 1 and self.is_tag(open_tag + 1, name):
                escaped = 2
            at = open_tag + 1
        return end

    cdef const char* end_of_noscript(self, const char* at) noexcept:
        """Where a fallback ends, whatever is open in it: to a browser with scripts all of it is text."""
        if self.noscript_end >= at:
            return self.noscript_end
        while at < self.end_:
            at = found(at, self.end_ - at, b"</", 2)
            if at is NULL:
                break
            if self.is_tag(at + 2, &self.names[self.noscript]):
                self.noscript_end = at
                return at
            at += 2
        self.noscript_end = self.end_
        return self.end_

    cdef bint is_tag(self, const char* at, Name* name) noexcept:
        return (
            self.end_ - at >= name.length
            and is_same(name.text, at, name.length)
            and CLASS[<unsigned char>at[name.length]] & ENDS_TAG_NAME
        )

    cdef const char* end_tag(self, const char* at) except NULL:
        cdef const char* name = at
        while not CLASS[<unsigned char>at[0]] & ENDS_TAG_NAME:
            at += 1
        cdef int tag = self.lookup_any_case(name, <int>(at - name))
        if tag == self.noscript:
            while self.names[tag].open_count:
                self.pop()
        elif tag > 0 and self.names[tag].open_count and not self.names[tag].flags & (IS_HTML | IS_HEAD | IS_BODY):
            self.close_(tag, self.names[tag].flags)
        cdef const char* end = self.limit(at)
        if at >= end:
            return end
        cdef const char* close = <const char*>memchr(at, c'>', end - at)
        return end if close is NULL else close + 1

    cdef int lookup_any_case(self, const char* text, int length) noexcept:
        cdef int slot = <int>(hashed(text, length) & <uint64_t>(self.slot_count - 1))
        cdef Name* name
        while self.slots[slot]:
            name = &self.names[self.slots[slot] - 1]
            if name.length == length and is_same(name.text, text, length):
                return self.slots[slot] - 1
            slot = (slot + 1) & (self.slot_count - 1)
        return -1

    # --- structure ---

    cdef int place_for(self, int tag, int flags) except -2:
        """The new element, or the one whose attributes the tag adds to; -1 when there are too many."""
        if flags & (IS_HTML | IS_HEAD | IS_BODY):
            if flags & IS_HTML:
                return 0
            if flags & IS_HEAD:
                if self.head < 0 and self.body_element < 0:
                    self.head = self.open_(tag)
                return self.head
            if self.body_element >= 0 and self.names[self.elements_[self.body_element].tag].flags & IS_BODY:
                if tag == self.elements_[self.body_element].tag:
                    return self.body_element
                return self.open_(tag)
            self.pop_to(1)
            self.body_element = self.open_(tag)
            return self.body_element
        if self.body_element < 0 and self.depth <= (1 if self.head < 0 else 2):
            self.place_early(flags)
        if self.depth > 1:
            self.close_before(flags)
        return self.open_(tag)

    cdef int place_early(self, int flags) except -1:
        """Open the head or the body that the page leaves out."""
        if flags & HEAD_CONTENT:
            if self.head < 0:
                self.head = self.open_(self.name_("head", 4))
        else:
            self.pop_to(1)
            self.body_element = self.open_(self.name_("body", 4))
        return 0

    cdef int open_(self, int tag) except -2:
        if self.element_count >= MAX_ELEMENTS:
            self.is_cut = True
            return -1
        if self.element_count == self.element_capacity:
            self.elements_ = <ElementRow*>grown(self.elements_, &self.element_capacity, sizeof(ElementRow))
        cdef int index = self.element_count
        cdef ElementRow* row = &self.elements_[index]
        row.tag = tag
        row.parent = self.stack[self.depth - 1] if self.depth else -1
        row.first_attribute = row.last_attribute = -1
        row.first_run = row.end_run = self.run_count
        row.end = index + 1
        row.is_unseen = (row.parent >= 0 and self.elements_[row.parent].is_unseen) or self.names[tag].flags & UNSEEN != 0
        self.element_count += 1
        if self.depth < MAX_DEPTH:
            self.stack[self.depth] = index
            self.depth += 1
            self.names[tag].open_count += 1
            if self.names[tag].flags & FOREIGN:
                self.foreign_depth += 1
        else:
            self.is_cut = True
        return index

    cdef void pop(self) noexcept:
        self.depth -= 1
        cdef ElementRow* row = &self.elements_[self.stack[self.depth]]
        row.end = self.element_count
        row.end_run = self.run_count
        self.names[row.tag].open_count -= 1
        if self.names[row.tag].flags & FOREIGN:
            self.foreign_depth -= 1

    cdef void pop_to(self, int depth) noexcept:
        while self.depth > depth:
            self.pop()

    cdef int flags_at(self, int depth) noexcept:
        return self.names[self.elements_[self.stack[depth]].tag].flags

    cdef int nearest(self, int wanted, int boundary) noexcept:
        """Depth of the innermost open element that is one of those wanted, inside the nearest boundary; else 0."""
        cdef int depth = self.depth - 1
        cdef int lowest = depth - MAX_WALK
        cdef int flags
        while depth > 0 and depth > lowest:
            flags = self.flags_at(depth)
            if flags & wanted:
                return depth
            if flags & boundary:
                return 0
            depth -= 1
        return 0

    cdef void close_nearest(self, int wanted, int boundary) noexcept:
        cdef int depth = self.nearest(wanted, boundary)
        if depth:
            self.pop_to(depth)

    cdef void close_before(self, int flags) noexcept:
        """Close what a start tag of this kind ends, though the page does not say so."""
        if not flags:
            return
        if flags & (IS_LI | IS_DD_DT):
            self.close_nearest(flags & (IS_LI | IS_DD_DT), BOUNDS_ITEM)
        if flags & CLOSES_P:
            self.close_nearest(IS_P, SCOPE | IS_BUTTON)
            if flags & HEADING and self.flags_at(self.depth - 1) & HEADING:
                self.pop()
        elif flags & IS_A:
            self.close_nearest(IS_A, SCOPE | IS_BUTTON | IS_BODY)
        elif flags & IS_OPTION:
            if self.flags_at(self.depth - 1) & IS_OPTION:
                self.pop()
        elif flags & IS_CELL:
            self.close_nearest(IS_CELL, IS_TABLE | IS_ROW)
        elif flags & IS_ROW:
            self.close_nearest(IS_ROW, IS_TABLE | IS_SECTION)
        elif flags & IS_SECTION:
            self.close_nearest(IS_SECTION, IS_TABLE)
        elif flags & IS_BUTTON:
            self.close_nearest(IS_BUTTON, SCOPE)

    cdef void close_(self, int tag, int flags) noexcept:
        """An end tag: closes the innermost element of its name, unless something greater is open inside that."""
        cdef int boundary = SPECIAL
        if flags & (IS_TABLE | IS_ROW | IS_CELL | IS_SECTION):
            boundary = IS_TABLE
        elif flags & SPECIAL:
            boundary = SCOPE
        cdef int depth = self.depth - 1
        cdef int lowest = depth - MAX_WALK
        while depth > 0 and depth > lowest:
            if self.elements_[self.stack[depth]].tag == tag:
                self.pop_to(depth)
                return
            if self.flags_at(depth) & boundary:
                return
            depth -= 1

    # --- content ---

    cdef int text_(self, const char* start, const char* end) except -1:
        if start >= end or not self.depth:
            return 0
        cdef const char* at = start
        if self.body_element < 0 and self.depth <= 2:
            while at < end and CLASS[<unsigned char>at[0]] & SPACE:
                at += 1
            if at == end:
                return 0
            if self.depth == 1 or self.stack[1] == self.head:
                self.place_early(0)
        return self.run(start, end, memchr(start, c'&', end - start) is NULL)

    cdef int run(self, const char* start, const char* end, bint is_plain) except -1:
        if self.run_count == self.run_capacity:
            self.runs = <Run*>grown(self.runs, &self.run_capacity, sizeof(Run))
        cdef Run* run = &self.runs[self.run_count]
        run.text = start
        run.length = <int>(end - start)
        run.parent = self.stack[self.depth - 1]
        run.opened = self.element_count
        run.is_plain = is_plain
        self.run_count += 1
        return 0

    cdef int attribute(self, int element, int name, const char* value, int length) except -1:
        cdef Name* about = &self.names[name]
        if element < 0 or not name:
            return 0
        if about.last_tag == self.tag_number:
            return 0  # the first of a name counts
        about.last_tag = self.tag_number
        cdef int bit = 1 if element == 0 else 2 if element == self.head else 4 if element == self.body_element else 0
        if about.merged & bit:
            return 0
        about.merged |= bit
        if self.attribute_count >= MAX_ATTRIBUTES:
            self.is_cut = True
            return 0
        if self.attribute_count == self.attribute_capacity:
            self.attributes_ = <AttributeRow*>grown(self.attributes_, &self.attribute_capacity, sizeof(AttributeRow))
        cdef AttributeRow* row = &self.attributes_[self.attribute_count]
        row.name = name
        row.element = element
        row.value = value
        row.length = length
        if length and memchr(value, c'&', length) is not NULL:
            row.value = self.with_characters(row.value, &row.length, True)
        self.link(self.attribute_count)
        self.attribute_count += 1
        return 0

    cdef void link(self, int number) noexcept:
        """Put an attribute at the end of those of its name and of those of its element."""
        cdef AttributeRow* row = &self.attributes_[number]
        cdef Name* about = &self.names[row.name]
        cdef ElementRow* owner = &self.elements_[row.element]
        row.next_of_element = row.next_of_name = -1
        if about.last_attribute < 0:
            about.first_attribute = number
        else:
            self.attributes_[about.last_attribute].next_of_name = number
        about.last_attribute = number
        about.attribute_count += 1
        if owner.last_attribute < 0:
            owner.first_attribute = number
        else:
            self.attributes_[owner.last_attribute].next_of_element = number
        owner.last_attribute = number

    cdef const char* with_characters(self, const char* at, int* length, bint in_attribute) except NULL:
        """The text with its character references as the characters they stand for; its length is set anew."""
        cdef const char* end = at + length[0]
        cdef const char* reference
        cdef char* start
        cdef char* out
        if self.arena is NULL:
            # All texts of a page together are shorter than it is, and no reference means twice its own length.
            self.arena = self.written = <char*>malloc(2 * len(self.body) + 16)
            if self.arena is NULL:
                raise MemoryError
        start = out = self.written
        while at < end:
            reference = <const char*>memchr(at, c'&', end - at)
            if reference is NULL:
                reference = end
            memcpy(out, at, reference - at)
            out += reference - at
            at = reference
            if at < end:
                at += write_reference(at, end, &out, in_attribute)
        self.written = out
        length[0] = <int>(out - start)
        return start

    cdef AttributeRow* attribute_of(self, int element, int name) noexcept:
        cdef int at = self.elements_[element].first_attribute
        while at >= 0:
            if self.attributes_[at].name == name:
                return &self.attributes_[at]
            at = self.attributes_[at].next_of_element
        return NULL

    # --- asking ---

    cdef Element element(self, int index):
        cdef Element result = Element.__new__(Element)
        result.tree = self
        result.index = index
        return result

    def get(self, str name):
        """An attribute of the root element, or None."""
        return self.element(0).get(name)

    def elements(self, *tags, int limit=MAX_ELEMENTS):
        """At most `limit` elements with one of these tags, in page order."""
        cdef char* wanted = <char*>calloc(self.name_count, 1)
        cdef list result = []
        cdef int index, number
        if wanted is NULL:
            raise MemoryError
        try:
            for tag in tags:
                number = self.known(tag)
                if number > 0:
                    wanted[number] = 1
            for index in range(self.element_count):
                if wanted[self.elements_[index].tag]:
                    if len(result) >= limit:
                        break
                    result.append(self.element(index))
        finally:
            free(wanted)
        return result

    def having(self, str tag, str attribute, int limit=MAX_ELEMENTS):
        """At most `limit` elements of a tag that have the attribute, each with its value, in page order."""
        cdef list result = []
        cdef int wanted = self.known(tag)
        cdef int name = self.known(attribute)
        cdef AttributeRow* row
        if wanted < 0 or name < 0:
            return result
        cdef int at = self.names[name].first_attribute
        while at >= 0 and len(result) < limit:
            row = &self.attributes_[at]
            if self.elements_[row.element].tag == wanted:
                result.append((decoded(row.value, row.length), self.element(row.element)))
            at = row.next_of_name
        return result

    def leaving(self, str tag, str attribute, str host, int limit=MAX_ELEMENTS):
        """At most `limit` values of an attribute of one tag that are URLs of another host, in page order."""
        cdef list result = []
        cdef int wanted = self.known(tag)
        cdef int name = self.known(attribute)
        cdef Py_ssize_t size
        cdef const char* own = PyUnicode_AsUTF8AndSize(host, &size)
        cdef const char* begin
        cdef const char* end
        cdef const char* stop
        cdef AttributeRow* row
        if wanted < 0 or name < 0:
            return result
        cdef int at = self.names[name].first_attribute
        while at >= 0 and len(result) < limit:
            row = &self.attributes_[at]
            at = row.next_of_name
            if self.elements_[row.element].tag != wanted:
                continue
            end = row.value + row.length
            begin = after_scheme(row.value, end)
            if begin is NULL:
                continue
            stop = begin
            while stop < end and stop[0] != c'/' and stop[0] != c'?' and stop[0] != c'#' and stop[0] != c'\\':
                stop += 1
            if stop - begin != size or not is_same(own, begin, <int>size):
                result.append(decoded(row.value, row.length))
        return result

    def values_with(self, str text):
        """Attributes whose value holds a text: the element's tag and the value."""
        cdef list result = []
        cdef int number
        cdef Py_ssize_t size
        cdef const char* wanted = PyUnicode_AsUTF8AndSize(text, &size)
        cdef AttributeRow* row
        for number in range(self.attribute_count):
            row = &self.attributes_[number]
            if row.length >= size and found(row.value, row.length, wanted, <int>size) is not NULL:
                tag = self.names_as_text[self.elements_[row.element].tag]
                result.append((tag, decoded(row.value, row.length)))
        return result

    def count_inside(self, str tag, *containers):
        """How many elements of a tag stand inside one of the containers."""
        cdef int wanted = self.known(tag)
        cdef int total = 0
        cdef int covered = 0
        cdef int index, inner
        for container in self.elements(*containers):
            index = (<Element>container).index
            for inner in range(max(index + 1, covered), self.elements_[index].end):
                if self.elements_[inner].tag == wanted:
                    total += 1
            covered = max(covered, self.elements_[index].end)
        return total

    cdef str text_of(self, Run* run):
        self.make_plain(run)
        return decoded(run.text, run.length)

    cdef str text_from(self, int index):
        """Text of an element before its first child."""
        cdef list pieces = []
        cdef int number = self.elements_[index].first_run
        while number < self.elements_[index].end_run and self.runs[number].opened <= index + 1:
            pieces.append(self.text_of(&self.runs[number]))
            number += 1
        return pieces[0] if len(pieces) == 1 else "".join(pieces)

    cdef bytes runs_between(self, int first, int end):
        cdef int number
        cdef list pieces = []
        if end - first > MAX_RUNS:
            self.is_cut = True
            end = first + MAX_RUNS
        for number in range(first, end):
            self.make_plain(&self.runs[number])
            pieces.append(self.runs[number].text[: self.runs[number].length])
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def shown_text(self, int limit):
        """Text but for what scripts, styles, templates and fallbacks hold themselves, white space collapsed."""
        return self.collapsed(limit, False)

    def seen_text(self, int limit):
        """Text that a reader sees, white space collapsed: nothing from inside what is not shown."""
        return self.collapsed(limit, True)

    cdef str collapsed(self, int limit, bint seen):
        """At most `limit` characters of text, words apart by one space."""
        cdef bytearray words = bytearray()
        cdef int number, parent
        cdef Run* run
        for number in range(self.run_count):
            run = &self.runs[number]
            parent = run.parent
            if self.elements_[parent].is_unseen if seen else self.names[self.elements_[parent].tag].flags & HIDDEN:
                continue
            self.make_plain(run)
            add_words(words, run.text, run.length, number > 0 and self.goes_on(run - 1, run))
            if len(words) > 4 * limit:
                break
        return words.decode("utf-8", "replace")[:limit]

    cdef bint goes_on(self, Run* before, Run* run) noexcept:
        """Whether only a comment stands between two runs, perhaps inside a word."""
        return (
            before.parent == run.parent
            and before.opened == run.opened
            and before.length > 0
            and <unsigned char>before.text[before.length - 1] > 32
        )

    cdef int make_plain(self, Run* run) except -1:
        """Have the characters of a run stand in place of their references."""
        if not run.is_plain:
            run.text = self.with_characters(run.text, &run.length, False)
            run.is_plain = True
        return 0

    # --- selecting ---

    def matching(self, Selector selector, int limit):
        """At most `limit` elements that a selector matches, in page order."""
        cdef list result = []
        cdef int steps = selector.step_count
        cdef int step, number, best, at, index
        cdef Condition* condition
        cdef int tags[MAX_STEPS]
        cdef int names[MAX_STEPS][MAX_CONDITIONS]
        for step in range(steps):
            tags[step] = -1
            if selector.steps[step].tag_length:
                tags[step] = self.lookup(selector.steps[step].tag, selector.steps[step].tag_length)
                if tags[step] < 0:
                    return result
            for number in range(selector.steps[step].condition_count):
                condition = &selector.steps[step].conditions[number]
                names[step][number] = self.lookup(condition.name, condition.name_length)
                if names[step][number] < 0:
                    return result
        if steps > 1:
            return self.nested(selector, tags, names, limit)
        best = -1
        for number in range(selector.steps[0].condition_count):
            if best < 0 or self.names[names[0][number]].attribute_count < self.names[best].attribute_count:
                best = names[0][number]
        if best < 0:
            for index in range(self.element_count):
                if tags[0] < 0 or self.elements_[index].tag == tags[0]:
                    result.append(self.element(index))
                    if len(result) >= limit:
                        break
            return result
        at = self.names[best].first_attribute
        while at >= 0 and len(result) < limit:
            index = self.attributes_[at].element
            if self.meets(index, &selector.steps[0], tags[0], names[0]):
                result.append(self.element(index))
            at = self.attributes_[at].next_of_name
        return result

    cdef list nested(self, Selector selector, int* tags, int[MAX_CONDITIONS]* names, int limit):
        """Elements that stand to others as the selector says, in one pass over the page however deep it is."""
        cdef list result = []
        cdef int covered[MAX_STEPS]  # per step: elements before this one are inside of one that fits
        # Per element a bit for each step: that it fits; that a child of it so far does; that its last child does.
        cdef unsigned char* fitting = <unsigned char*>calloc(3 * self.element_count, 1)
        cdef unsigned char* before = fitting + self.element_count
        cdef unsigned char* previous = before + self.element_count
        cdef int last = selector.step_count - 1
        cdef int index, step, parent, joint
        cdef unsigned char bit
        if fitting is NULL:
            raise MemoryError
        memset(covered, 0, sizeof(covered))
        try:
            for index in range(self.element_count):
                parent = self.elements_[index].parent
                for step in range(last, -1, -1):
                    joint = selector.steps[step].joint
                    bit = 1 << (step - 1) if step else 0
                    if joint == INSIDE and index >= covered[step - 1]:
                        continue
                    if joint > INSIDE and (
                        parent < 0
                        or (joint == CHILD and not fitting[parent] & bit)
                        or (joint == AFTER and not before[parent] & bit)
                        or (joint == NEXT and not previous[parent] & bit)
                    ):
                        continue
                    if self.meets(index, &selector.steps[step], tags[step], names[step]):
                        fitting[index] |= 1 << step
                        covered[step] = max(covered[step], self.elements_[index].end)
                if parent >= 0:
                    before[parent] |= fitting[index]
                    previous[parent] = fitting[index]
                if fitting[index] & (1 << last):
                    result.append(self.element(index))
                    if len(result) >= limit:
                        break
        finally:
            free(fitting)
        return result

    cdef bint meets(self, int index, Step* step, int tag, int* names) noexcept:
        cdef int number
        cdef AttributeRow* attribute
        if tag >= 0 and self.elements_[index].tag != tag:
            return False
        for number in range(step.condition_count):
            attribute = self.attribute_of(index, names[number])
            if attribute is NULL or not is_met(&step.conditions[number], attribute.value, attribute.length):
                return False
        return True


cdef enum:
    EXISTS = 0
    EQUALS = 1
    DASHED = 2
    CONTAINS = 3
    STARTS = 4
    ENDS = 5
    WORD = 6

_OPERATORS = {"": EXISTS, "=": EQUALS, "|=": DASHED, "*=": CONTAINS, "^=": STARTS, "$=": ENDS, "~=": WORD}

cdef struct Condition:
    const char* name
    int name_length
    int operator
    const char* value
    int length
    bint ignore_case

cdef enum:
    ALONE = 0
    INSIDE = 1
    CHILD = 2
    AFTER = 3
    NEXT = 4

_JOINTS = {"": ALONE, " ": INSIDE, ">": CHILD, "~": AFTER, "+": NEXT}

cdef struct Step:
    int joint  # how it stands to what the step before it found
    const char* tag
    int tag_length
    int condition_count
    Condition conditions[MAX_CONDITIONS]


cdef class Selector:
    """Compounds and how each stands to the one before it."""

    cdef Step steps[MAX_STEPS]
    cdef int step_count
    cdef list kept

    def __cinit__(self, list compounds):
        """`compounds`: the combinator before it, empty for the first; a tag (`*` for any); conditions as
        (name, operator, value, ignore_case).

        Raises ValueError when there are more than fit.
        """
        self.kept = []
        self.step_count = len(compounds)
        if not 0 < self.step_count <= MAX_STEPS:
            raise ValueError("too many steps")
        cdef Step* step
        cdef Condition* condition
        cdef int number
        cdef bytes text
        for number, (joint, tag, conditions) in enumerate(compounds):
            step = &self.steps[number]
            step.joint = _JOINTS[joint]
            text = b"" if tag == "*" else tag.encode()
            self.kept.append(text)
            step.tag = text
            step.tag_length = len(text)
            step.condition_count = 0
            if len(conditions) > MAX_CONDITIONS:
                raise ValueError("too many conditions")
            for name, operator, value, ignore_case in conditions:
                condition = &step.conditions[step.condition_count]
                text = name.encode()
                self.kept.append(text)
                condition.name = text
                condition.name_length = len(text)
                condition.operator = _OPERATORS[operator]
                text = value.lower().encode() if ignore_case else value.encode()
                self.kept.append(text)
                condition.value = text
                condition.length = len(text)
                condition.ignore_case = ignore_case
                step.condition_count += 1


cdef inline bint matches_at(Condition* condition, const char* text) noexcept:
    if condition.ignore_case:
        return is_same(condition.value, text, condition.length)
    return memcmp(condition.value, text, condition.length) == 0


cdef bint is_met(Condition* condition, const char* text, int length) noexcept:
    cdef int size = condition.length
    cdef const char* end = text + length
    cdef const char* at
    if condition.operator == EXISTS:
        return True
    if condition.operator == EQUALS:
        return length == size and matches_at(condition, text)
    if condition.operator == DASHED:
        return length >= size and matches_at(condition, text) and (length == size or text[size] == c'-')
    if size == 0 or length < size:
        return False
    if condition.operator == STARTS:
        return matches_at(condition, text)
    if condition.operator == ENDS:
        return matches_at(condition, end - size)
    if condition.operator == CONTAINS:
        if not condition.ignore_case:
            return found(text, length, condition.value, size) is not NULL
        while end - text >= size:
            if matches_at(condition, text):
                return True
            text += 1
        return False
    if not condition.ignore_case:  # WORD
        at = found(text, length, condition.value, size)
        while at is not NULL:
            if (at == text or CLASS[<unsigned char>(at - 1)[0]] & SPACE) and (
                at + size == end or CLASS[<unsigned char>at[size]] & SPACE
            ):
                return True
            at = found(at + 1, end - at - 1, condition.value, size)
        return False
    while text < end:
        while text < end and CLASS[<unsigned char>text[0]] & SPACE:
            text += 1
        at = text
        while text < end and not CLASS[<unsigned char>text[0]] & SPACE:
            text += 1
        if text - at == size and matches_at(condition, at):
            return True
    return False


_COMMON = b" e\nta\"osrinlc-d/=<>pmhugfv.b:;_w0,1y2k3(){}x4'5#8679?j&qz%+[]|!\t@*$~\\^`"
"""Bytes of pages in lower case, the most common first."""
cdef unsigned char RARITY[256]
for _i in range(256):
    RARITY[_i] = _COMMON.index(bytes([_i])) if bytes([_i]) in _COMMON else 255


cdef enum:
    BLOCK = 64
    IS_RARE = 50  # from this rank on a byte stands in so few places that looking for it alone is fastest


cdef Py_ssize_t rarest_of(const char* letters, Py_ssize_t size, Py_ssize_t other=-1) noexcept:
    """Which of the letters, but for one, stands in the fewest places of a page."""
    cdef Py_ssize_t rarest = 0 if other else 1
    cdef Py_ssize_t i
    for i in range(rarest + 1, size):
        if i != other and RARITY[<unsigned char>letters[i]] > RARITY[<unsigned char>letters[rarest]]:
            rarest = i
    return rarest


cdef inline bint holds_pair(const char* text, Py_ssize_t apart, char first, char second) noexcept:
    """Whether both letters stand so far apart somewhere in a block; a loop made into vector instructions."""
    cdef unsigned char result = 0
    cdef int i
    for i in range(BLOCK):
        result |= (text[i] == first) & (text[i + apart] == second)
    return result


cpdef Py_ssize_t find(bytes text, bytes wanted, Py_ssize_t start=0) except -2:
    """As `text.find(wanted, start)`, several times as fast.

    Looks for the rarest byte, which few places have, or for the two rarest so far apart as they should be.
    """
    cdef const char* begin = text
    cdef const char* needle = wanted
    cdef Py_ssize_t size = len(wanted)
    cdef Py_ssize_t rarest, second
    cdef const char* at
    cdef const char* last
    cdef int i
    if not size or start < 0 or start + size > len(text):
        return text.find(wanted, start)
    rarest = rarest_of(needle, size)
    at = begin + start
    last = begin + len(text) - size
    if size > 1 and RARITY[<unsigned char>needle[rarest]] < IS_RARE:
        second = rarest_of(needle, size, rarest)
        while last - at >= BLOCK:  # `second` of the block's last place is still inside the text
            if holds_pair(at + rarest, second - rarest, needle[rarest], needle[second]):
                for i in range(BLOCK):
                    if at[i + rarest] == needle[rarest] and memcmp(at + i, needle, size) == 0:
                        return at + i - begin
            at += BLOCK
    at += rarest
    last += rarest
    while at <= last:
        at = <const char*>memchr(at, needle[rarest], last - at + 1)
        if at is NULL:
            break
        if memcmp(at - rarest, needle, size) == 0:
            return at - rarest - begin
        at += 1
    return -1


cdef bint LITTLE_ENDIAN = sys.byteorder == "little"


def holds(str text, str wanted):
    """As `wanted in text` for up to 32 ASCII characters, several times as fast (see `find`)."""
    cdef int width = PyUnicode_KIND(text)
    cdef const char* at = <const char*>PyUnicode_DATA(text)
    cdef Py_ssize_t size = len(wanted)
    cdef Py_ssize_t i, rarest
    cdef const char* begin = at
    cdef const char* last = at + (len(text) - size) * width
    cdef char needle[128]
    cdef const char* letters
    if not wanted.isascii() or not 0 < size <= 32 or (width > 1 and not LITTLE_ENDIAN):
        return wanted in text
    letters = <const char*>PyUnicode_DATA(wanted)
    memset(needle, 0, sizeof(needle))
    for i in range(size):
        needle[i * width] = letters[i]
    rarest = rarest_of(letters, size)
    at += rarest * width
    last += rarest * width
    while at <= last:
        at = <const char*>memchr(at, letters[rarest], last - at + 1)
        if at is NULL:
            return False
        if (at - begin) % width == 0 and memcmp(at - rarest * width, needle, size * width) == 0:
            return True
        at += 1
    return False


cdef enum:
    MAX_SCHEME = 11  # characters, with what follows

_SCHEMES = tuple(scheme.encode() for scheme in NOT_FETCHED)


def web_reference(str raw, Py_ssize_t limit):
    """As `compiled.web_reference`."""
    cdef Py_ssize_t length = len(raw)
    cdef Py_ssize_t i, start, end
    cdef int kind = PyUnicode_KIND(raw)
    cdef void* data = PyUnicode_DATA(raw)
    cdef char scheme[MAX_SCHEME + 1]
    cdef Py_UCS4 letter
    cdef bytes other
    if not length:
        return "", None
    letter = PyUnicode_READ(kind, data, 0)
    if letter <= 32 or letter > 126 or PyUnicode_READ(kind, data, length - 1) <= 32 or PyUnicode_READ(kind, data, length - 1) > 126:
        raw = raw.strip()
    if len(raw) > limit:
        raw = raw[:limit]
    length = len(raw)
    kind = PyUnicode_KIND(raw)
    data = PyUnicode_DATA(raw)
    memset(scheme, 0, sizeof(scheme))
    for i in range(min(length, MAX_SCHEME)):
        letter = PyUnicode_READ(kind, data, i)
        scheme[i] = <char>LOWER[letter] if letter < 128 else <char>0xFF
    if memcmp(scheme, b"http", 4) == 0:
        start = 5 if scheme[4] == c's' else 4
        if memcmp(&scheme[start], b"://", 3) == 0:
            end = start = start + 3
            while end < length and PyUnicode_READ(kind, data, end) != c'/':
                end += 1
            return raw, raw[start:end]
    if not length or scheme[0] == c'#':
        return "", None
    for other in _SCHEMES:
        if memcmp(scheme, PyBytes_AS_STRING(other), len(other)) == 0:
            return "", None
    return raw, None


def authority_of(str url):
    """As `compiled.authority_of`."""
    cdef Py_ssize_t length = len(url)
    cdef Py_ssize_t start = 0
    cdef Py_ssize_t end
    cdef int kind = PyUnicode_KIND(url)
    cdef void* data = PyUnicode_DATA(url)
    while start < 7 and start + 1 < length:
        if PyUnicode_READ(kind, data, start) == c'/' and PyUnicode_READ(kind, data, start + 1) == c'/':
            end = start = start + 2
            while end < length and PyUnicode_READ(kind, data, end) != c'/':
                end += 1
            return url[start:end]
        start += 1
    return ""


cdef enum:
    LABEL = LETTER | DIGIT  # and `-`; `_` too but in the last
    MAX_LABELS = 8
    MAX_LABEL = 63
    MAX_PATH = 1_900

cdef unsigned char ENDS_URL[256]
for _i in range(256):
    ENDS_URL[_i] = 1 if chr(_i) in "\t\n\v\f\r\x1c\x1d\x1e\x1f \"'<>\\`|^{}" else 2 if _i in (0xC2, 0xE1, 0xE2, 0xE3) else 0


def urls_in(str text, int limit):
    """The URLs that stand in a script after a quote, a bracket or their scheme, as `compiled.urls_in` says."""
    cdef list result = []
    cdef Py_ssize_t size
    cdef const char* begin
    cdef const char* at
    cdef const char* end
    cdef const char* stop
    cdef char before
    text = encodable(text)
    begin = PyUnicode_AsUTF8AndSize(text, &size)
    at = begin
    end = begin + size
    while end - at > 2 and len(result) < limit:
        at = <const char*>memchr(at, c'/', end - at - 1)
        if at is NULL:
            break
        if at[1] != c'/':
            at += 2
            continue
        stop = host_end(at + 2, end)
        if stop is NULL:
            at += 1
            continue
        stop = url_end(stop, end)
        before = (at - 1)[0] if at > begin else c'\0'
        if before == c':':
            is_secure = at - begin >= 6 and is_same(b"https", at - 6, 5)
            result.append(("https:" if is_secure else "http:") + decoded(at, <int>(stop - at)))
        elif before == c'"' or before == c"'" or before == c'`' or before == c'(':
            result.append("https:" + decoded(at, <int>(stop - at)))
        at = stop
    return result


cdef enum:
    MAX_BEGUN = 40


def breaks_off_url(str text):
    """Whether a URL stops in its host at the end of a string, as `compiled.breaks_off_url` says."""
    cdef Py_ssize_t size
    text = encodable(text)
    cdef const char* at = PyUnicode_AsUTF8AndSize(text, &size)
    cdef const char* end = at + size
    cdef const char* stop
    while end - at > 2:
        at = <const char*>memchr(at, c'/', end - at - 1)
        if at is NULL:
            return False
        at += 1
        if at[0] != c'/':
            continue
        stop = at + 1
        while stop < end and stop - at <= MAX_BEGUN and (
            CLASS[<unsigned char>stop[0]] & LABEL or stop[0] == c'_' or stop[0] == c'.' or stop[0] == c'-'
        ):
            stop += 1
        if stop < end and (stop[0] == c'"' or stop[0] == c"'"):
            return True
    return False


def plain_slashes(str text):
    """The text with its escaped slashes as plain ones."""
    cdef Py_ssize_t size
    text = encodable(text)
    cdef const char* at = PyUnicode_AsUTF8AndSize(text, &size)
    cdef const char* end = at + size
    cdef const char* stop = <const char*>memchr(at, c'\\', size)
    cdef bytes result
    cdef char* out
    cdef int length
    if stop is NULL:
        return text
    result = PyBytes_FromStringAndSize(NULL, size)
    out = PyBytes_AS_STRING(result)
    while stop is not NULL:
        memcpy(out, at, stop - at)
        out += stop - at
        length = escaped_slash(stop, end)
        out[0] = c'/' if length else c'\\'
        out += 1
        at = stop + (length or 1)
        stop = <const char*>memchr(at, c'\\', end - at)
    memcpy(out, at, end - at)
    out += end - at
    return PyUnicode_DecodeUTF8(PyBytes_AS_STRING(result), out - PyBytes_AS_STRING(result), NULL)


cdef int escaped_slash(const char* at, const char* end) noexcept:
    """The length of the escaped slash that begins at a backslash, or 0."""
    cdef int size = 2
    if end - at >= 2 and at[1] == c'/':
        return size
    if end - at >= 4 and at[1] == c'x':
        size = 4
    elif end - at >= 6 and at[1] == c'u' and at[2] == c'0' and at[3] == c'0':
        size = 6
    return size if size > 2 and at[size - 2] == c'2' and at[size - 1] | 32 == c'f' else 0


cdef str encodable(str text):
    """The text as UTF-8 can have it: with a `?` for each half of a surrogate pair."""
    cdef Py_ssize_t size
    try:
        PyUnicode_AsUTF8AndSize(text, &size)
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


cdef const char* host_end(const char* at, const char* end) noexcept:
    """The end of the host name that begins here: labels and one that begins with a letter; NULL when there is none."""
    cdef const char* labels[MAX_LABELS + 1]
    cdef const char* label = at
    cdef int count = 0
    while count < MAX_LABELS:
        while at < end and at - label < MAX_LABEL and (CLASS[<unsigned char>at[0]] & LABEL or at[0] == c'-' or at[0] == c'_'):
            at += 1
        if at == label or at >= end or at[0] != c'.':
            break
        at += 1
        label = at
        count += 1
        labels[count] = at
    while count:
        label = labels[count]
        at = label
        if at < end and CLASS[<unsigned char>at[0]] & LETTER:
            while at < end and at - label < MAX_LABEL and (CLASS[<unsigned char>at[0]] & LABEL or at[0] == c'-'):
                at += 1
            if at - label >= 2:
                return at
        count -= 1
    return NULL


cdef const char* url_end(const char* at, const char* end) noexcept:
    """Where port, path and query end that follow a host."""
    cdef const char* port = at + 1
    cdef int count = 0
    if at < end and at[0] == c':':
        while port < end and port - at <= 5 and CLASS[<unsigned char>port[0]] & DIGIT:
            port += 1
        if port - at > 1:
            at = port
    if at >= end or not (at[0] == c'/' or at[0] == c'?' or at[0] == c'#'):
        return at
    at += 1
    while at < end and ENDS_URL[<unsigned char>at[0]] != 1 and not (
        ENDS_URL[<unsigned char>at[0]] == 2 and is_wide_space(at, end)
    ):
        if <unsigned char>at[0] & 0xC0 != 0x80:
            if count == MAX_PATH:
                break
            count += 1
        at += 1
    return at


cdef bint is_wide_space(const char* at, const char* end) noexcept:
    """Whether white space beyond ASCII stands here: U+0085, U+00A0, U+1680, U+2000 to U+200A and so on."""
    cdef unsigned char first = at[0]
    cdef unsigned char second, third
    if first == 0xC2:
        return end - at >= 2 and (<unsigned char>at[1] == 0x85 or <unsigned char>at[1] == 0xA0)
    if end - at < 3:
        return False
    second = at[1]
    third = at[2]
    if first == 0xE1:
        return second == 0x9A and third == 0x80
    if first == 0xE3:
        return second == 0x80 and third == 0x80
    if second == 0x80:
        return 0x80 <= third <= 0x8A or third == 0xA8 or third == 0xA9 or third == 0xAF
    return second == 0x81 and third == 0x9F


cdef bint holds_one(const char* text, Py_ssize_t size, tuple literals) except -1:
    cdef bytes literal
    for literal in literals:
        if found(text, size, PyBytes_AS_STRING(literal), <int>len(literal)) is not NULL:
            return True
    return False


def holds_each(bytes text, tuple needs):
    """Whether the text holds one literal of each group."""
    for literals in needs:
        if not holds_one(text, len(text), literals):
            return False
    return True


cdef class Lines:
    """Texts joined to one, each on a line, for one search through all; see `compiled.Lines`."""

    cdef readonly bytes joined
    cdef readonly int count
    cdef bytes joined_lower
    cdef Py_ssize_t* starts

    def __cinit__(self, given):
        cdef tuple texts = tuple(given)  # what is gone through twice must be the same twice
        cdef Py_ssize_t size = 0
        cdef Py_ssize_t i, length
        cdef int number = 0
        cdef int kind
        cdef void* data
        cdef char* out
        cdef Py_UCS4 letter
        self.count = len(texts)
        for text in texts:
            size += len(<str?>text) + 1
        self.starts = <Py_ssize_t*>malloc((self.count + 1) * sizeof(Py_ssize_t))
        if self.starts is NULL:
            raise MemoryError
        self.joined = PyBytes_FromStringAndSize(NULL, size)
        out = PyBytes_AS_STRING(self.joined)
        size = 0
        for text in texts:
            self.starts[number] = size
            number += 1
            length = len(<str>text)
            kind = PyUnicode_KIND(text)
            data = PyUnicode_DATA(text)
            if (<str>text).isascii():
                memcpy(out + size, data, length)
            else:
                for i in range(length):
                    letter = PyUnicode_READ(kind, data, i)
                    if 0xD800 <= letter < 0xE000:  # half of a pair, as what is searched holds it
                        letter = c'?'
                    out[size + i] = <char>letter if letter < 128 else <char>0xFF
            size += length
            out[size] = c'\n'
            size += 1
        self.starts[number] = size
        self.joined_lower = lower(self.joined)

    def __dealloc__(self):
        free(self.starts)

    def holding(self, tuple literals):
        """Numbers of the texts that hold one of these literals in lower case, in order."""
        cdef list result = []
        cdef char* holds = <char*>calloc(self.count + 1, 1)
        cdef int low, high, middle
        cdef Py_ssize_t at
        if holds is NULL:
            raise MemoryError
        try:
            for literal in literals:
                low = 0
                at = find(self.joined_lower, literal)
                while at >= 0:
                    high = self.count
                    while high - low > 1:
                        middle = (low + high) // 2
                        if self.starts[middle] <= at:
                            low = middle
                        else:
                            high = middle
                    holds[low] = 1
                    low += 1
                    if low >= self.count:
                        break
                    at = find(self.joined_lower, literal, self.starts[low])
            for low in range(self.count):
                if holds[low]:
                    result.append(low)
        finally:
            free(holds)
        return result


def lower(bytes text):
    """As `text.lower()`, ten times as fast: the loop is one that compilers make into vector instructions."""
    cdef Py_ssize_t size = len(text)
    cdef bytes result = PyBytes_FromStringAndSize(NULL, size)
    cdef const unsigned char* source = text
    cdef unsigned char* out = <unsigned char*>PyBytes_AS_STRING(result)
    cdef Py_ssize_t i
    for i in range(size):
        out[i] = source[i] + ((<unsigned char>(source[i] - 65) < 26) << 5)
    return result


def unix_lines(bytes text):
    """The text with each of its lines ended by `\\n` alone."""
    cdef const char* at = text
    cdef const char* end = at + len(text)
    cdef const char* stop
    cdef bytes result = PyBytes_FromStringAndSize(NULL, len(text))
    cdef char* out = PyBytes_AS_STRING(result)
    while at < end:
        stop = <const char*>memchr(at, c'\r', end - at)
        if stop is NULL:
            stop = end
        memcpy(out, at, stop - at)
        out += stop - at
        at = stop
        if at < end:
            out[0] = c'\n'
            out += 1
            at += 2 if at + 1 < end and at[1] == c'\n' else 1
    return result[: out - PyBytes_AS_STRING(result)]


cdef int add_words(bytearray words, const char* text, int length, bint goes_on) except -1:
    """Add the words of a text, as `str.split` tells them apart, each after a space; the first may go on one."""
    cdef const char* end = text + length
    cdef const char* at
    cdef Py_ssize_t size
    while text < end:
        while text < end and space_at(text, end):
            text += space_at(text, end)
            goes_on = False
        at = text
        while at < end and not space_at(at, end):
            at += 1
        if at > text:
            if len(words) and not goes_on:
                words.append(c' ')
            goes_on = False
            size = len(words)
            PyByteArray_Resize(words, size + (at - text))
            memcpy(PyByteArray_AS_STRING(words) + size, text, at - text)
        text = at
    return 0


cdef inline int space_at(const char* at, const char* end) noexcept:
    """The length of the white space character (Unicode) that stands here, or 0."""
    cdef unsigned char first = <unsigned char>at[0]
    cdef unsigned char second, third
    if first <= 32:
        return first == 32 or 9 <= first <= 13 or 28 <= first <= 31
    if first < 0xC2 or first > 0xE3 or end - at < 2:
        return 0
    second = <unsigned char>at[1]
    if first == 0xC2:
        return 2 if second == 0x85 or second == 0xA0 else 0
    if end - at < 3 or (first != 0xE2 and first != 0xE3 and first != 0xE1):
        return 0
    third = <unsigned char>at[2]
    if first == 0xE1:
        return 3 if second == 0x9A and third == 0x80 else 0
    if first == 0xE3:
        return 3 if second == 0x80 and third == 0x80 else 0
    if second == 0x80:
        return 3 if 0x80 <= third <= 0x8A or third == 0xA8 or third == 0xA9 or third == 0xAF else 0
    return 3 if second == 0x81 and third == 0x9F else 0


def is_utf8(bytes text):
    """Whether the bytes are UTF-8, perhaps cut inside its last character."""
    cdef const unsigned char* at = text
    cdef const unsigned char* end = at + len(text)
    cdef uint64_t words[4]
    cdef int more
    while at < end:
        if end - at >= 32:
            memcpy(words, at, 32)
            if not (words[0] | words[1] | words[2] | words[3]) & <uint64_t>0x8080808080808080:
                at += 32
                continue
        if at[0] < 0x80:
            at += 1
            continue
        if 0xC2 <= at[0] <= 0xDF:
            more = 1
        elif 0xE0 <= at[0] <= 0xEF:
            more = 2
        elif 0xF0 <= at[0] <= 0xF4:
            more = 3
        else:
            return False
        if at + 1 < end and (
            (at[0] == 0xE0 and at[1] < 0xA0)  # longer than need be
            or (at[0] == 0xED and at[1] > 0x9F)  # half of a pair
            or (at[0] == 0xF0 and at[1] < 0x90)
            or (at[0] == 0xF4 and at[1] > 0x8F)  # beyond the last character
        ):
            return False
        at += 1
        while more and at < end:
            if at[0] & 0xC0 != 0x80:
                return False
            at += 1
            more -= 1
    return True


cdef void* grown(void* rows, int* capacity, size_t size) except NULL:
    """The table with room for twice as many rows."""
    cdef int wanted = 2 * capacity[0] if capacity[0] else 256
    cdef void* larger = realloc(rows, wanted * size)
    if larger is NULL:
        raise MemoryError
    capacity[0] = wanted
    return larger


_MEANT = {name.encode(): meant.encode() for name, meant in html5.items()}
"""What a name means, by the name with its semicolon; the oldest also without."""
_ODD = [(unescape(f"&#{number};") or chr(number)).encode() for number in range(160)]
"""Numbers that are control characters, or were characters of Windows when people wrote them."""
cdef enum:
    MAX_NAME = 33  # the longest is 32 bytes with its semicolon
    MAX_OLD_NAME = 6


cdef int write_reference(const char* at, const char* end, char** out, bint in_attribute) except -1:
    """Write what the reference that begins here means; its length. An ampersand that begins none means itself.

    In an attribute an old name without its semicolon stays as it is before `=` or a letter: `?a=1&copy=2`.
    """
    cdef const char* name = at + 1
    cdef const char* stop = name
    cdef int length
    cdef bytes meant
    if name < end and name[0] == c'#':
        length = write_number(at, end, out)
        if length:
            return length
    while stop < end and stop - name < MAX_NAME and CLASS[<unsigned char>stop[0]] & (LETTER | DIGIT):
        stop += 1
    if stop > name and stop < end and stop[0] == c';':
        meant = _MEANT.get(name[: stop + 1 - name])
        if meant is not None:
            return put(out, meant, <int>(stop + 1 - at))
    length = <int>min(stop - name, MAX_OLD_NAME)
    while length > 1:
        meant = _MEANT.get(name[:length])
        if meant is not None:
            if in_attribute and (name + length < stop or (stop < end and stop[0] == c'=')):
                break
            return put(out, meant, length + 1)
        length -= 1
    return put(out, b"&", 1)


cdef int put(char** out, bytes text, int consumed) except -1:
    memcpy(out[0], <const char*>text, len(text))
    out[0] += len(text)
    return consumed


cdef int write_number(const char* at, const char* end, char** out) except -1:
    """Write the character that `&#65;` or `&#x41` means; its length, or 0 when there is no number."""
    cdef const char* digit = at + 2
    cdef const char* first
    cdef int number = 0
    cdef int base = 10
    cdef int value
    if digit < end and (digit[0] == c'x' or digit[0] == c'X'):
        base = 16
        digit += 1
    first = digit
    while digit < end:
        value = LOWER[<unsigned char>digit[0]]
        value = value - c'0' if c'0' <= value <= c'9' else value - c'a' + 10 if c'a' <= value <= c'f' else base
        if value >= base:
            break
        number = min(number * base + value, 0x110000)
        digit += 1
    if digit == first:
        return 0
    if digit < end and digit[0] == c';':
        digit += 1
    if number < 160:
        return put(out, _ODD[number], <int>(digit - at))
    if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
        number = 0xFFFD
    return put(out, chr(number).encode(), <int>(digit - at))
