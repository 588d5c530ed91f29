-- Appends a run's events behind its cursor and moves the cursor, together.
-- KEYS: stream, hash of cursors. ARGV: run, epoch (-1: beside the cursor), length, then for each event seq, kind, event.
local known = redis.call('HGET', KEYS[2], ARGV[1])
local epoch, seq = tonumber(ARGV[2]), 0
if known and epoch >= 0 then
    local colon = string.find(known, ':', 1, true)
    local knownEpoch = tonumber(string.sub(known, 1, colon - 1))
    if knownEpoch > epoch then return 0 end
    if knownEpoch == epoch then seq = tonumber(string.sub(known, colon + 1)) end
end
local appended = 0
for index = 4, #ARGV, 3 do
    if tonumber(ARGV[index]) > seq then
        redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], '*',
            'run', ARGV[1], 'seq', ARGV[index], 'kind', ARGV[index + 1], 'event', ARGV[index + 2])
        appended = appended + 1
    end
end
if appended > 0 and epoch >= 0 then redis.call('HSET', KEYS[2], ARGV[1], ARGV[2] .. ':' .. ARGV[#ARGV - 2]) end
return appended
