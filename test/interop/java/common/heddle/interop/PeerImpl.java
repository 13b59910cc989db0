package heddle.interop;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

public class PeerImpl implements Peer {
    private final List<String> notes = Collections.synchronizedList(new ArrayList<>());
    private final Function<String, String> attachments;

    public PeerImpl(Function<String, String> attachments) {
        this.attachments = attachments;
    }

    public String echo(String text) { return text; }

    public User older(User user, int years) {
        if (user == null) return null;
        user.setAge(user.getAge() + years);
        user.setFriend(user.getFriend() == null ? null : older(user.getFriend(), years));
        return user;
    }

    public List<Object> reversed(List<Object> list) {
        List<Object> copy = new ArrayList<>(list);
        Collections.reverse(copy);
        return copy;
    }

    public Map<String, Object> swapped(Map<String, Object> map) {
        Map<String, Object> result = new LinkedHashMap<>();
        for (Map.Entry<String, Object> entry : map.entrySet()) {
            result.put(String.valueOf(entry.getValue()), entry.getKey());
        }
        return new java.util.HashMap<>(result);
    }

    public long sum(long a, long b) { return a + b; }
    public Date later(Date date, long ms) { return new Date(date.getTime() + ms); }
    public Object same(Object value) { return value; }

    public byte[] bytes(byte[] bytes) {
        byte[] reversed = new byte[bytes.length];
        for (int i = 0; i < bytes.length; i++) reversed[i] = bytes[bytes.length - 1 - i];
        return reversed;
    }

    public void note(String text) { notes.add(text); }
    public List<String> notes() { return new ArrayList<>(notes); }

    public String declared(String text) throws DeclaredException {
        throw new DeclaredException("declared: " + text, 7);
    }

    public String runtime(String text) {
        throw new IllegalStateException("runtime: " + text);
    }

    public String slow(long ms) {
        try {
            Thread.sleep(ms);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        return "slept " + ms;
    }

    public String attachment(String key) { return attachments.apply(key); }
}
