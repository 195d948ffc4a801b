---@meta
-- luacheck: ignore
-- What policies and their tests can see and call, for editors that speak to the Lua language server
-- (docs/editors.md). Sizes are whole KiB. The words are those of docs/policy-api.md.

KiB = 1
MiB = 1024
GiB = 1048576
TiB = 1073741824

---@alias size integer a size in KiB: 150 * MiB
---@alias figure
---| "actual" | "maximum" | "minimum" | "available" | "unused" | "usable" | "headroom" | "disk_caches"
---| "rss" | "swap_in" | "swap_out" | "major_faults" | "minor_faults" | "in_flight" | "releasable"
---| "grantable" | "offline" | "weight" | "priority"

---Whether a text is like a pattern: `*` any characters, `?` one.
---@param pattern string
---@param text string
---@return boolean
function glob(pattern, text) end

---Shares `total` among wants: in parts by weight, none larger than its want; what one want leaves goes
---to the others (weighted max-min fairness).
---@param total number KiB; less than 0 counts as 0
---@param wants number[] KiB; less than 0 counts as 0
---@param weights? number[] one over 0 for each want; 1 each where left out
---@return size[] shares one for each want, in whole KiB, together at most the total
function fair_share(total, wants, weights) end

---What a policy file returns.
---@class memcoord.Policy
---@field api 1 the API it is written for
---@field summary string one line: what it does
---@field params? table<string, memcoord.Parameter>
---@field tick fun(ctx: memcoord.Context) decides, once an interval

---@class memcoord.Parameter
---@field default string|number|boolean "150MiB" a size, 3, 0.5, true, any other text a text
---@field doc? string what it is for
---@field choices? string[] the texts it may be

---@class memcoord.Context
---@field host memcoord.Host
---@field domains memcoord.Domains those that can be moved, by name
---@field silent memcoord.SilentDomain[] the others, and why
---@field params table<string, any> the declared parameters, with --set applied
---@field state table stays between ticks; plain data in it survives a reload
---@field tick integer the tick's number
---@field seconds number since the last tick; 0 in the first
---@field time integer UTC of the snapshot, in seconds since 1970
---@field limits memcoord.Limits what the guard holds to
---@field log memcoord.Log

---@class memcoord.Log
---@field info fun(text: string)
---@field warn fun(text: string)

---@class memcoord.Host
---@field total size
---@field free size page cache not counted
---@field available size with what the page cache would give back
---@field headroom size free or available (--headroom), within the budget
---@field buffers size
---@field cached size
---@field swap_free size
---@field floor size what the guard keeps free
---@field grantable size what the guard would give out this tick
---@field owed size what was promised to guests beyond what there is, to be won back first
---@field budget size what all guests together may hold
---@field page_size size
---@field cells memcoord.Cell[] NUMA cells

---@class memcoord.Limits
---@field domain_floor size headroom that a shrink leaves every domain
---@field usable_floor size usable memory that a shrink leaves every domain
---@field host_floor size headroom that grows leave the host
---@field host_memory size what all guests together may use; the host's memory where no budget is set
---@field max_release number share of its headroom that a tick may take from a domain
---@field overcommit number how much may be committed, as a multiple of the host's memory
---@field headroom "larger"|"unused"|"usable" which figure counts as headroom
---@field grace number seconds without a shrink after a start
---@field stale_after_periods integer statistics are trusted for so many periods ..
---@field stale_slack number .. and so many seconds

---@class memcoord.Cell
---@field id integer
---@field total size
---@field free size
---@field available size with what its page cache would give back, where known

---@class memcoord.Domains
---@field [integer] memcoord.Domain
---@field least fun(self: memcoord.Domains, field: figure): memcoord.Domain? the one with the smallest figure
---@field most fun(self: memcoord.Domains, field: figure): memcoord.Domain? the one with the largest
---@field sum fun(self: memcoord.Domains, field: figure): number
---@field where fun(self: memcoord.Domains, wanted: fun(d: memcoord.Domain): boolean): memcoord.Domains

---@class memcoord.Domain
---@field name string
---@field uuid string
---@field labels table<string, string>
---@field weight number
---@field priority integer
---@field actual size the balloon's size
---@field maximum size
---@field minimum size
---@field in_flight size a target on its way, less actual
---@field releasable size the most that the guard lets a shrink take this tick
---@field grantable size what the guard would give it this tick, before any shrink
---@field nodes integer[] the host's NUMA nodes that its memory is bound to; empty where it is not
---@field deflates_by_itself boolean autodeflate is on
---@field free_page_reporting boolean its guest hands back what it frees
---@field headroom size unused or usable (--headroom)
---@field unused size
---@field usable size
---@field available size what its kernel sees
---@field offline size plugged in, but not online in the guest
---@field disk_caches size
---@field rss size host memory it really holds
---@field swap_in number KiB a second
---@field swap_out number KiB a second
---@field major_faults number a second
---@field minor_faults number a second
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
---Asks for this size. One of set, grow, shrink and hold, once a tick.
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

---@class memcoord.SilentDomain
---@field name string
---@field uuid string
---@field why string
---@field rule string the guard's rule that holds it, or ""
---@field state string
---@field actual size
---@field maximum size

-- Tests: docs/testing-policies.md.

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
---@field silent table<string, { rule: string, why: string }>
---@field after table<string, { actual: size, unused: size }>
---@field host { total: size, free: size }
---@field grantable size
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
---@param name string what the policy does
---@param body fun()
function test(name, body) end
---@param value any
---@return memcoord.Expectation
function expect(value) end
---@param subject memcoord.TestTick|fun()
---@param pattern string
function expect_error(subject, pattern) end
