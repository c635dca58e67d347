#!lua flags=allow-oom
-- Forgets a party as of now: what it has said by now has no effect any more, and what
-- it says from now on opens another conversation. What there is of it is for the
-- other scripts.
-- KEYS forgotten, forgetting, conv, of, theirs, noticed, out
-- ARGV nonce, party, keep for (ms)
-- Answers when that was (ms), and the last place in the agents' queue by then.
local forgotten, forgetting, conv, of, theirs, noticed, out = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local nonce, party, keep_for = ARGV[1], ARGV[2], ARGV[3]

local bad = mistyped('zset', forgotten) or mistyped('string', forgetting) or mistyped('hash', conv)
  or mistyped('set', of, theirs) or mistyped('list', noticed) or mistyped('stream', out)
if bad then return redis.error_reply(bad) end

local by, at, last = string.match(redis.call('GET', forgetting) or '', '^(%x+) (%d+) (%S+)$')
if by == nonce then return {at, last} end

local clock = now()
local newest = redis.call('XREVRANGE', out, '+', '-', 'COUNT', 1)[1]
at, last = whole(clock), newest and newest[1] or '0-0'
-- Their conversations are set aside, so that later ones are told from them.
for _, id in ipairs(redis.call('HMGET', conv, 'id', 'prev')) do
  if id and id ~= '' then redis.call('SADD', theirs, id) end
end
redis.call('SUNIONSTORE', theirs, theirs, of)
redis.call('PEXPIRE', theirs, keep_for)
redis.call('DEL', of, conv, noticed)
redis.call('ZREMRANGEBYSCORE', forgotten, '-inf', whole(clock - tonumber(keep_for)))
redis.call('ZADD', forgotten, at, party)
redis.call('PEXPIRE', forgotten, keep_for)
redis.call('SET', forgetting, table.concat({nonce, at, last}, ' '), 'PX', keep_for)
return {at, last}
