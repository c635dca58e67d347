#!lua
-- Accepts the events of one request. Without allow-oom, so that a full Redis
-- refuses it before the first write.
-- KEYS inbox, then for each event: seen, conv
-- ARGV nonce, seen for, idle for (ms), then for each event: key, conversation
--      to open if there is none, payload
-- Answers for each event: new (1 or 0), conversation, seq.
local inbox, nonce, seen_for, idle_for = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local count = (#KEYS - 1) / 2

local bad = mistyped('stream', inbox)
for i = 1, count do
  local seen, conv = KEYS[2 * i], KEYS[2 * i + 1]
  bad = bad or mistyped('string', seen) or mistyped('hash', conv) or uncounted(conv, 'seq')
end
if bad then return redis.error_reply(bad) end

local time = whole(now())
local answers, listed = {}, {}
for i = 1, count do
  local seen, conv = KEYS[2 * i], KEYS[2 * i + 1]
  local key, opened, payload = ARGV[3 * i + 1], ARGV[3 * i + 2], ARGV[3 * i + 3]
  local mark = redis.call('GET', seen)
  local by, conversation, seq = string.match(mark or '', '^accepted (%x+) (%x+) (%d+)$')
  if not mark then
    by = nonce
    conversation = redis.call('HGET', conv, 'id') or opened
    seq = whole(tonumber(redis.call('HGET', conv, 'seq') or 0) + 1)
    redis.call('XADD', inbox, '*', 'v', 1, 'key', key, 'conv', conversation,
      'seq', seq, 'at', time, 'tries', 0, 'payload', payload)
    redis.call('HSET', conv, 'id', conversation, 'seq', seq, 'last', time)
    redis.call('PEXPIRE', conv, idle_for)
    redis.call('SET', seen, 'accepted ' .. by .. ' ' .. conversation .. ' ' .. seq, 'PX', seen_for)
  end
  -- An event that one request lists twice is new once, also in the answer to
  -- this very request's repeat.
  local new = by == nonce and not listed[key]
  listed[key] = true
  answers[i] = {new and 1 or 0, conversation or '', seq or '0'}
end
return answers
