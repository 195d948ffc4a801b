# awk -v release=0.2.0 -v pages=/usr/share/doc/memcoord -f policy_page.awk CHANGELOG.md docs/policy-api.md
# Prints memcoord-policy(7), in the man macros of roff, from the page of the policy API. It knows the Markdown of that
# page: headings, paragraphs, tables with two columns, `code`, **bold** and links. Anything else ends it with an error.

function fail(what) {
  print FILENAME ":" FNR ": " what | "cat 1>&2"
  failed = 1
  exit 1
}

# Text that roff takes as it is.
function plain(text) {
  gsub(/\\/, "\\e", text)
  gsub(/-/, "\\-", text)
  gsub(/'/, "\\(aq", text)
  return text
}

# `code` and **bold** become bold, links their text.
function inline(text,    result, found) {
  result = ""
  while (match(text, /`[^`]*`|\*\*[^*]*\*\*|\[[^]]*\]\([^)]*\)/)) {
    found = substr(text, RSTART, RLENGTH)
    result = result plain(substr(text, 1, RSTART - 1))
    text = substr(text, RSTART + RLENGTH)
    result = result marked(found)
  }
  return result plain(text)
}

function marked(text) {
  if (text ~ /^`/) return "\\fB" plain(substr(text, 2, length(text) - 2)) "\\fR"
  if (text ~ /^\*\*/) return "\\fB" plain(substr(text, 3, length(text) - 4)) "\\fR"
  sub(/^\[/, "", text)
  if (text ~ /\]\([a-z-]+\.md/) return elsewhere(text)
  sub(/\]\(.*/, "", text)
  return inline(text)
}

# A link to another page: its text, and the page where it is installed.
function elsewhere(text,    page) {
  page = text
  sub(/^.*\]\(/, "", page)
  sub(/[#)].*/, "", page)
  sub(/\]\(.*/, "", text)
  return text == page ? "\\fI" plain(page) "\\fR" : inline(text) " (\\fI" plain(page) "\\fR)"
}

# The first one of a section begins by itself.
function begin_paragraph() {
  if (!opening) print ".PP"
  opening = 0
}

function print_text(text) {
  print (text ~ /^[.']/ ? "\\&" : "") text
}

FNR == 1 { files++ }

files == 1 {
  if ($1 == "##" && $2 == release) day = $4
  next
}

FNR == 1 {
  if (day == "") fail("the change log has no day for " release)
  printf ".TH MEMCOORD\\-POLICY 7 \"%s\" \"memcoord %s\"\n", day, release
  print ".SH NAME\nmemcoord\\-policy \\- Lua API of memcoord's policies, version 1\n.SH DESCRIPTION"
  opening = 1
  next
}

/^```/ || /^[ \t]*[-*+0-9][.)]? / || /^[<>!]/ { fail("this page has no such element yet: " $0) }

/^## / { print ".SH " toupper(inline(substr($0, 4))); paragraph = 0; table = 0; opening = 1; next }
/^#/ { fail("this page has no such heading yet: " $0) }

/^\|/ {
  row = $0
  sub(/^\| */, "", row)
  sub(/ *\|$/, "", row)
  if (split(row, cells, " \\| ") != 2) fail("a table of two columns: " $0)
  if (cells[1] ~ /^-+$/) next
  if (table++ == 0) {
    begin_paragraph()
    print_text("\\fI" inline(cells[1]) "\\fR: " inline(cells[2]))
    next
  }
  print ".TP"
  print_text(inline(cells[1]))
  print_text(inline(cells[2]))
  next
}

/^$/ { paragraph = 0; table = 0; next }

{
  if (!paragraph++) begin_paragraph()
  print_text(inline($0))
}

END {
  if (failed) exit 1
  print ".SH FILES\nThe pages that this one names are in \\fI" plain(pages) "\\fR."
  print ".SH SEE ALSO\n\\fBmemcoord\\fR(1), \\fBmemcoord.toml\\fR(5)"
}
