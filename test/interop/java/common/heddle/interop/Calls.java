package heddle.interop;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** The calls that a Java client makes, by name; each gives one line of text. */
public final class Calls {
    private Calls() {}

    public static String run(Peer peer, String name) throws Exception {
        switch (name) {
            case "echo": return peer.echo("grüße \ud83d\ude00");
            case "user": return String.valueOf(peer.older(user(), 2));
            case "list": return String.valueOf(peer.reversed(Arrays.asList("a", 1, 2L, 3.5, true, null)));
            case "map": {
                Map<String, Object> map = new HashMap<>();
                map.put("one", 1);
                map.put("two", "zwei");
                return String.valueOf(new TreeMap<>(peer.swapped(map)));
            }
            case "long": return String.valueOf(peer.sum(4611686018427387904L, 1L));
            case "smallLong": return String.valueOf(peer.sum(1L, 2L));
            case "date": return String.valueOf(peer.later(new Date(1700000000000L), 1500L).getTime());
            case "null": return String.valueOf(peer.same(null));
            case "nullUser": return String.valueOf(peer.older(null, 1));
            case "bytes": return Arrays.toString(peer.bytes(new byte[] {1, 2, -3}));
            case "note":
                peer.note("noted");
                return "sent";
            case "notes": return String.valueOf(peer.notes());
            case "big": {
                String text = "0123456789abcdef".repeat(65536);
                return String.valueOf(text.equals(peer.echo(text)));
            }
            case "concurrent": return concurrent(peer);
            case "slow": return peer.slow(4000);
            case "attachment": return peer.attachment("tenant");
            case "declared":
                try {
                    return peer.declared("x");
                } catch (DeclaredException thrown) {
                    return "DeclaredException " + thrown.getMessage() + " " + thrown.getNumber();
                }
            case "runtime": return peer.runtime("x");
            default: throw new IllegalArgumentException("no call " + name);
        }
    }

    static User user() {
        User friend = new User();
        friend.setName("bob");
        friend.setAge(50);
        User user = new User();
        user.setName("ann");
        user.setAge(40);
        user.setBalance(9007199254740993L);
        user.setScore(1.25);
        user.setActive(true);
        user.setSince(new Date(1600000000123L));
        user.setTags(new ArrayList<>(Arrays.asList("x", "y")));
        user.setFriend(friend);
        return user;
    }

    private static String concurrent(Peer peer) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(16);
        try {
            List<Future<String>> all = new ArrayList<>();
            for (int i = 0; i < 400; i++) {
                String text = "call " + i;
                all.add(threads.submit(() -> peer.echo(text)));
            }
            int right = 0;
            for (int i = 0; i < all.size(); i++) if (all.get(i).get().equals("call " + i)) right++;
            return right + " right";
        } finally {
            threads.shutdown();
        }
    }
}
