package heddle.interop;

import java.util.Date;
import java.util.List;
import java.util.Map;

/** What both sides of every check implement and call. */
public interface Peer {
    String echo(String text);
    User older(User user, int years);
    List<Object> reversed(List<Object> list);
    Map<String, Object> swapped(Map<String, Object> map);
    long sum(long a, long b);
    Date later(Date date, long ms);
    Object same(Object value);
    byte[] bytes(byte[] bytes);
    void note(String text);
    List<String> notes();
    String declared(String text) throws DeclaredException;
    String runtime(String text);
    String slow(long ms);
    /** The value that came as attachment "key" beside the call. */
    String attachment(String key);
}
