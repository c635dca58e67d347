#!lua flags=allow-oom
-- Removes dead letters for good. A repeat needs no mark: what is gone cannot be
-- removed again.
-- KEYS dead, letters, then of each letter: seen
-- ARGV 1 to leave those alone whose event has not been accepted since, then of
--      each letter: key
-- Answers the number removed.
local dead, letters, accepted = KEYS[1], KEYS[2], ARGV[1] == '1'

local bad = mistyped('zset', dead) or mistyped('hash', letters) or uncounted(letters, 'bytes', 'counted')
for i = 3, #KEYS do bad = bad or mistyped('string', KEYS[i]) end
if bad then return redis.error_reply(bad) end

local removed = 0
for i = 3, #KEYS do
  if not (accepted and buried(redis.call('GET', KEYS[i]))) then
    removed = removed + forget_letter(dead, letters, ARGV[i - 1])
  end
end
return removed
