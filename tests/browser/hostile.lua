-- Domains whose names are markup and scripts. They change places with memory, so that every part of a
-- page has something to say about them.
local names = {
  "<img src=x onerror=\"document.title='owned'\">",
  "</script><script>document.title='owned'</script>",
  "'><svg onload=alert(1)>",
  "&lt;b&gt; ${document.title='owned'}",
}

local domains = {}
for i, name in ipairs(names) do
  domains[i] = {
    name = name,
    maximum = 1 * GiB,
    initial = 512 * MiB,
    demand = { { 0, 30 * MiB }, { 10 * i, 30 * MiB }, { 10 * i + 25, 700 * MiB }, { 10 * i + 30, 30 * MiB } },
  }
end

return {
  summary = "<img src=x onerror=\"document.title='owned'\"> as a summary",
  host = { total = 2 * GiB + 4 * 30 * MiB, base = 200 * MiB },
  duration = 90,
  domains = domains,
}
