#!lua flags=allow-oom
-- Puts a message with photos into the agents' queue before they are settled.
-- KEYS seen, data, promised, told, out, message (seen where nothing can be
--      unsent), conv (seen where it does not matter), head (seen where nothing
--      happens to the conversation)
-- ARGV key, id, document, conversation, 1 if the document says that it is late, an
--      update of the conversation, the party and when it was accepted (or empty)
-- Answers mine, withdrawn, late if the document should say so, or other if the
-- message has been told by somebody else or is settled.
local seen, data, promised, told, out = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local message, conv = KEYS[6], KEYS[7]
local key, id, document, conversation, late = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

local bad = mistyped('string', seen, message) or mistyped('hash', data, told)
  or mistyped('zset', promised) or mistyped('stream', out)
  or conv ~= seen and mistyped('hash', conv)
local chat, news = update(KEYS[8], 5)
if chat then bad = bad or read_head(chat, news.party, news.id) end
if bad then return redis.error_reply(bad) end

local by = string.match(redis.call('HGET', told, key) or '', '^%S+')
if by == id then return 'mine' end
if by or redis.call('HEXISTS', data, key) == 0 or settled(redis.call('GET', seen)) then
  redis.call('ZREM', promised, key)
  return 'other'
end
if message ~= seen and unsent(message) or was_forgotten(data, ARGV[#ARGV]) then return 'withdrawn' end
if conv ~= seen and late ~= '1' and redis.call('HGET', conv, 'id') ~= conversation then return 'late' end
local entry = redis.call('XADD', out, '*', 'event', document)
if chat then happen[news.kind](chat, news) end
redis.call('ZREM', promised, key)
redis.call('HSET', told, key, id .. ' ' .. entry)
return 'mine'
