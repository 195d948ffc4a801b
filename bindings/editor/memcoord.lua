---@meta
-- luacheck: ignore
-- The names that policies and their tests can use, for editors with the Lua language server
-- (docs/writing-policies.md). Sizes are whole KiB. The words are those of docs/policy-api.md.

KiB = 1
MiB = 1024
GiB = 1048576
TiB = 1073741824

---@alias size integer a size in KiB: 150 * MiB
---@alias figure
---| "weight" | "priority" | "actual" | "maximum" | "minimum" | "in_flight" | "reclaimable"
---| "grantable" | "headroom" | "offline" | "rss" | "available" | "unused" | "usable"
---| "disk_caches" | "swap_in" | "swap_out" | "major_faults" | "minor_faults"

---Whether a text matches a pattern: `*` stands for any characters, `?` for one.
---@param pattern string
---@param text string
---@return boolean
function glob(pattern, text) end

---Divides `total` among wants by weight, each share at most its want; the rest goes to the other wants
---(weighted max-min fairness).
---@param total number KiB; less than 0 counts as 0
---@param wants number[] KiB; less than 0 counts as 0
---@param weights? number[] a number over 0 for each want; default 1 each
---@return size[] shares a share for each want, in whole KiB, together at most the total
function fair_share(total, wants, weights) end

---The table that a policy file returns.
---@class memcoord.Policy
---@field api 1 the version of the policy API
---@field summary string one line about the policy
---@field params? table<string, memcoord.Parameter>
---@field tick fun(ctx: memcoord.Context) decides, once an interval

---@class memcoord.Parameter
---@field default string|number|boolean "150MiB" a size, 3, 0.5, true, any other string a string
---@field doc? string its meaning
---@field choices? string[] the allowed strings

---@class memcoord.Context
---@field host memcoord.Host
---@field domains memcoord.Domains the domains that can be moved, sorted by name
---@field skipped memcoord.SkippedDomain[] the other domains, with the reasons
---@field params table<string, any> the declared parameters, with --set applied
---@field state table stays between ticks; plain data in it survives a reload
---@field tick integer the tick's number
---@field seconds number since the last tick; 0 in the first
---@field time integer UTC of the snapshot, in seconds since 1970
---@field limits memcoord.Limits the guard's limits
---@field log memcoord.Log
---@field again fun(seconds: number) asks for the next tick after this time, if that is earlier than the interval
---@field every fun(seconds: number): boolean whether a step that comes once in this time is due in this tick

---@class memcoord.Log
---@field info fun(text: string)
---@field warn fun(text: string)

---@class memcoord.Host
---@field total size the host's memory
---@field free size free memory, page cache not counted (`MemFree`)
---@field available size free memory and the page cache that the kernel can drop; `free` if the host does not report it
---@field buffers size buffers of block devices
---@field cached size page cache
---@field swap_free size free swap space
---@field page_size size the size of an ordinary page
---@field cells memcoord.Cell[] its NUMA cells, a list of tables: `id`, `total`, `free`, `available`
---@field headroom size the larger of `free` and `available`, or one of them (`--headroom`); within the budget
---@field floor size headroom that grows leave the host (`--host-floor`)
---@field budget size the memory that all guests may have together: `--host-memory`, otherwise `total`
---@field grantable size the memory that the guard would grant to grows this tick, before any shrink
---@field shortfall size how much must be released before the guard grants anything: more memory is committed than the host has, QEMU's own memory and merged pages included. `shortfall` or `grantable` is 0

---@class memcoord.Limits
---@field domain_floor size headroom that a shrink leaves every domain: 100 MiB or more (`--domain-floor`)
---@field host_floor size headroom that grows leave the host: 200 MiB or more (`--host-floor`)
---@field max_reclaim number share of its headroom that a tick may take from a domain, up to 0.5 (`--max-reclaim`)
---@field headroom "larger"|"unused"|"usable" the metric that counts as headroom: `larger`, `unused` or `usable` (`--headroom`)
---@field stale_after_periods integer after so many of its periods, and `stale_slack`, a report is stale
---@field stale_slack number seconds on top of `stale_after_periods`
---@field grace number seconds without a shrink after a start, a reboot or a self-deflation
---@field host_memory size the memory that all guests may have together: `--host-memory`, otherwise the host's memory
---@field overcommit number how much may be committed, as a multiple of the host's memory (`--overcommit`)
---@field usable_floor size usable memory that a shrink leaves every domain: 32 MiB

---@class memcoord.Cell
---@field id integer its number
---@field total size its memory
---@field free size its free memory, page cache not counted
---@field available size its free memory with what its page cache would give back

---@class memcoord.Domains
---@field [integer] memcoord.Domain
---@field min_by fun(self: memcoord.Domains, field: figure): memcoord.Domain? the domain with the smallest figure
---@field max_by fun(self: memcoord.Domains, field: figure): memcoord.Domain? the domain with the largest figure
---@field sum fun(self: memcoord.Domains, field: figure): number
---@field filter fun(self: memcoord.Domains, wanted: fun(d: memcoord.Domain): boolean): memcoord.Domains

---@class memcoord.Domain
---@field name string its name
---@field uuid string its UUID: keep this in `ctx.state`
---@field labels table<string, string> its labels, by name
---@field weight number its weight where memory is shared out
---@field priority integer its priority: higher goes first
---@field actual size the balloon's size
---@field maximum size the smallest of its own maximum, the configured one and its cgroup's limit (less QEMU's own memory)
---@field minimum size the configured minimum; 0 if there is none
---@field in_flight size its last target minus `actual`: negative while it shrinks, 0 once it has arrived. If a guest does not follow a shrink, `in_flight` stays negative and `reclaimable` is 0
---@field reclaimable size the largest shrink that the guard allows this tick; 0 if it allows none
---@field grantable size the memory that the guard would grant the domain this tick, before any shrink: `ctx.host.grantable`, or less if the NUMA nodes that it is bound to have less
---@field nodes integer[] the numbers of the host's NUMA nodes that its memory is bound to; empty if it is not bound
---@field deflates_by_itself boolean true where its balloon gives memory back to a guest that runs short (autodeflate)
---@field free_page_reporting boolean true if the guest returns the pages that it frees to the host
---@field headroom size the larger of `unused` and `usable`, or one of them (`--headroom`)
---@field offline size memory that is plugged in but not online in the guest: part of `actual`, but not of its need. Estimated low, from `actual` and `available`; 0 if the difference may be memory that the kernel keeps for itself
---@field rss size host memory that its QEMU process holds; it may exceed `actual` by QEMU's own memory, and is `actual` if libvirt does not report it
---@field available size the memory that the guest's kernel manages; never over `actual`, and `actual` if it does not report it
---@field unused size free memory, page cache not counted; never over `actual`
---@field usable size memory that the guest can allocate without swapping; never over `actual`, and `unused` if it does not report it
---@field disk_caches size page cache; 0 if the guest does not report it
---@field swap_in number memory swapped in, KiB a second
---@field swap_out number memory swapped out, KiB a second
---@field major_faults number major page faults a second
---@field minor_faults number minor page faults a second
local Domain = {}

---@param field figure
---@param seconds number the window, up to now
---@return number
function Domain:avg(field, seconds) end
---@param field figure
---@param seconds number
---@return number
function Domain:max(field, seconds) end
---@param field figure
---@param seconds number
---@return number
function Domain:min(field, seconds) end
---@param field figure
---@param q number from 0 to 1
---@param seconds number
---@return number
function Domain:quantile(field, q, seconds) end
---@param field figure
---@param seconds number
---@return number change a second
function Domain:slope(field, seconds) end
---Proposes this size. Call one of set, grow, shrink and hold, once per tick.
---@param target size
---@param why? string
function Domain:set(target, why) end
---@param by size
---@param why? string
function Domain:grow(by, why) end
---@param by size
---@param why? string
function Domain:shrink(by, why) end
---@param why? string
function Domain:hold(why) end
---Asks the guest for a report before the next tick.
function Domain:refresh() end

---@class memcoord.SkippedDomain
---@field name string its name
---@field uuid string its UUID
---@field why string why no decision may touch it this tick
---@field rule string the guard's rule; empty for excluded and unsuitable domains
---@field state string its state: `running`, `paused`, `hung`, ...
---@field actual size the balloon's size
---@field maximum size the domain's own maximum

-- Tests: docs/writing-policies.md.

---@class memcoord.PolicyUnderTest
local PolicyUnderTest = {}
---A freshly loaded policy decides once on this world.
---@param world table
---@return memcoord.TestTick
function PolicyUnderTest:tick(world) end
---@param worlds table[]
---@return memcoord.TestTick[]
function PolicyUnderTest:run(worlds) end

---@class memcoord.TestTick
---@field tick integer
---@field proposals table<string, { target: size, why: string }>
---@field decisions table<string, { actual: size, proposed: size, target: size, rules: string[], why: string }>
---@field skipped table<string, { rule: string, why: string }>
---@field after table<string, { actual: size, unused: size }>
---@field host { total: size, free: size }
---@field grantable size
---@field again number? seconds after which the policy asked for the next tick
---@field refresh string[] the domains that the policy asked for a report
---@field log string[]
---@field notes string[]
---@field error string?

---@class memcoord.Expectation
---@field equals fun(self, other: any)
---@field differs_from fun(self, other: any)
---@field is_at_least fun(self, least: number)
---@field is_at_most fun(self, most: number)
---@field is_more_than fun(self, other: number)
---@field is_less_than fun(self, other: number)
---@field is_between fun(self, least: number, most: number)
---@field is_near fun(self, other: number, tolerance: number)
---@field is_empty fun(self)
---@field contains fun(self, item: any)
---@field lacks fun(self, item: any)
---@field matches fun(self, pattern: string)
---@field is_nil fun(self)
---@field is_true fun(self)
---@field is_false fun(self)

---A policy by its path from the test file's folder.
---@param path string
---@param params? table<string, any>
---@return memcoord.PolicyUnderTest
function policy(path, params) end
---@param name string the test's name: what the policy does
---@param body fun()
function test(name, body) end
---@param value any
---@return memcoord.Expectation
function expect(value) end
---@param subject memcoord.TestTick|fun()
---@param pattern string
function expect_error(subject, pattern) end
