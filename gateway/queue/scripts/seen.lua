#!lua flags=allow-oom
-- Notes how many of a conversation's messages its agent has seen.
-- KEYS head   ARGV agent, arrival
-- Answers done, none, or theirs and who has it.
local c, agent, arrival = conversation(KEYS[1]), ARGV[1], tonumber(ARGV[2])

local bad = read_head(c, '')
if bad then return redis.error_reply(bad) end

if not c.there then return {'none'} end
if not has(c, agent) then return theirs(c) end
arrival = math.min(arrival, c.arrived)
if arrival > c.read then
  c.new.read = whole(arrival)
  save(c)
end
return {'done'}
