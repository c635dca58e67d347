#!lua flags=allow-oom
-- Gives a conversation to an agent, or puts it back among those that wait.
-- KEYS head   ARGV agent (or empty: to nobody), the agent's name, who must have it
--      now (or empty: nobody, or *: whoever)
-- Answers done and the head, none, over, or theirs and who has it.
local c, to, name, from = conversation(KEYS[1]), ARGV[1], ARGV[2], ARGV[3]

local bad = read_head(c, '') or to ~= '' and mistyped('zset', list_of(c, 'assigned', to))
if bad then return redis.error_reply(bad) end

if not c.there then return {'none'} end
if c.state == 'closed' then return {'over'} end
if c.agent ~= to then
  if not has(c, from) then return theirs(c) end
  if to == '' then
    local since = c.waiting > 0 and c.waiting or now()
    c.new.waiting = whole(since)
    move(c, 'waiting', '', '', since)
  else
    -- Whoever gets it has seen nothing of it yet.
    c.new.read = 0
    move(c, 'assigned', to, name, c.message)
  end
  save(c)
end
return {'done', redis.call('HGETALL', c.head)}
