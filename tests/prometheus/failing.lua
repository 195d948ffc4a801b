-- A policy that never answers.
return {
  api = 1,
  summary = "never answers",
  tick = function(_)
    error("as the test wants it")
  end,
}
