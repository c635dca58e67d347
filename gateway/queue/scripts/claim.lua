#!lua flags=allow-oom
-- Takes the first message of a conversation that is due, and marks it as being
-- sent, which it stays if its sender dies. It is known for as long as it waits, so
-- that nobody posts it again: the mark's key is made of the message's.
-- KEYS outgoing, say, conv, head   ARGV member, conversation, attempt, lease, keep for (ms)
-- Answers nothing if the conversation is not due, unread if its first message
-- cannot be read, newer if only a newer release can, or: key, the state before,
-- tries, parts sent, 1 if the consumer has not ended the conversation, payload.
local outgoing, say, conv, head = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local member, conversation, attempt, lease = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])

local bad = mistyped('zset', outgoing) or mistyped('list', say) or mistyped('hash', conv, head)
if bad then return redis.error_reply(bad) end

local record = redis.call('LINDEX', say, 0)
local m = record and unpacked(record)
local told = m and string.sub(outgoing, 1, -#'outgoing' - 1) .. 'told:' .. m.key
bad = told and mistyped('string', told)
if bad then return redis.error_reply(bad) end
local time, due = now(), tonumber(redis.call('ZSCORE', outgoing, member) or '-1')
if due < 0 or not (m and m.attempt == attempt) and due > time then return {} end
if not record then
  redis.call('ZREM', outgoing, member)
  return {}
end
if m and m.attempt ~= attempt then
  -- A sender that has died has used up a try, or a message that kills its
  -- senders would kill them for ever.
  if m.state == 'sending' then m.tries = m.tries + 1 end
  m.before, m.state, m.attempt = m.state, 'sending', attempt
  redis.call('LSET', say, 0, pack(m))
end
redis.call('ZADD', outgoing, whole(time + lease), member)
if not m then return {newer(record) and 'newer' or 'unread'} end
if redis.call('PEXPIRE', told, ARGV[5]) == 0 then redis.call('SET', told, 'waiting', 'PX', ARGV[5]) end
-- What was said before somebody here closed the conversation is still sent.
local by = redis.call('HGET', head, 'by')
local open = redis.call('HGET', conv, 'id') == conversation or by == 'agent' or by == 'service' or by == 'idle'
return {m.key, m.before, m.tries, m.part, open and 1 or 0, m.payload}
