#!lua flags=allow-oom
-- Says what became of an attempt to send the first message of a conversation.
-- KEYS outgoing, say, told, head, receipt (told without one)
-- ARGV member, attempt, key, result (sent, failed, unknown; or retry, next, back),
--      detail, after (ms, of retry and back), keep for (ms), keep receipt for (ms)
-- Answers mine or other.
local outgoing, say, told = KEYS[1], KEYS[2], KEYS[3]
local member, attempt, key, result = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local detail, after, keep_for = ARGV[5], tonumber(ARGV[6]), ARGV[7]
local c, receipt = conversation(KEYS[4]), KEYS[5]

local bad = read_head(c, '') or mistyped('string', receipt) or mistyped('zset', outgoing) or mistyped('list', say) or mistyped('string', told)
if bad then return redis.error_reply(bad) end

local by = string.match(redis.call('GET', told) or '', '^%a+ (%x+)')
if by == attempt then return 'mine' end
local m = unpacked(redis.call('LINDEX', say, 0) or '')
if m and m.key == key and m.last == attempt then return 'mine' end
if not (m and m.key == key and m.attempt == attempt) then return 'other' end

local time = now()
if receipt ~= told and delivery_of(c, key) then
  redis.call('SET', receipt, c.id .. ' ' .. key, 'PX', ARGV[8])
end
if result == 'back' then
  if m.before == 'sending' then m.tries = m.tries - 1 end
  m.state, m.attempt, m.last = m.before, '-', attempt
  redis.call('ZADD', outgoing, whole(time + after), member)
  redis.call('LSET', say, 0, pack(m))
  return 'mine'
end
if result == 'retry' or result == 'next' then
  m.state, m.attempt, m.before, m.last = 'waiting', '-', 'waiting', attempt
  if result == 'next' then
    m.part, m.tries, after = m.part + 1, 0, 0
  else
    m.tries = m.tries + 1
  end
  redis.call('ZADD', outgoing, whole(time + after), member)
  redis.call('LSET', say, 0, pack(m))
  return 'mine'
end
if redis.call('LLEN', say) > 1 then
  redis.call('ZADD', outgoing, whole(time), member)
else
  redis.call('ZREM', outgoing, member)
end
redis.call('LPOP', say)
-- Agents see why something was not sent, and not the platform's id of what was.
deliver(c, key, result, result ~= 'sent' and detail or '')
redis.call('SET', told, result .. ' ' .. attempt .. ' ' .. detail, 'PX', keep_for)
return 'mine'
