#!lua flags=allow-oom
-- Closes a conversation, for whoever works on it or because it is idle. Software that
-- reads the agents' queue hears of it once: of one that came back for a late message,
-- or whose consumer has ended it, it has heard or will.
-- KEYS head, out
-- ARGV who must have it (as assign.lua has it), the kind of who closes it, id, name,
--      document, time until it may be archived, for how long it is remembered as
--      its party's last, and for how long it must have been idle (all ms)
-- Answers done and the head, none, busy, or theirs and who has it.
local c, out, from, document = conversation(KEYS[1]), KEYS[2], ARGV[1], ARGV[5]
local archive_after, prev_for, idle_for = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])

local bad = read_head(c, '') or mistyped('stream', out)
if bad then return redis.error_reply(bad) end

if not c.there then return {'none'} end
if c.state ~= 'closed' then
  if idle_for > 0 and now() - tonumber(redis.call('ZSCORE', c.idle, c.id) or 0) < idle_for then return {'busy'} end
  if not has(c, from) then return theirs(c) end
  if c.closed == 0 then
    local n, gone = c.new, not c.open and c.pointed == c.id
    n.closed, n.by, n.by_id, n.by_name = whole(now()), ARGV[2], ARGV[3], ARGV[4]
    if gone then
      n.by, n.by_id, n.by_name = 'consumer', '', ''
    else
      redis.call('XADD', out, '*', 'event', document)
    end
    if c.open then over(c.conv, c.id, prev_for) end
  end
  leave_open(c, archive_after)
  save(c)
end
return {'done', redis.call('HGETALL', c.head)}
