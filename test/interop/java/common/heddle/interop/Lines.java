package heddle.interop;

import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * One JVM serves many checks: a line "id TAB command TAB argument..." in, a line "id TAB ok|error TAB text" out. What
 * libraries print to standard output goes to standard error.
 */
public final class Lines {
    private Lines() {}

    public interface Command {
        String run(String[] words) throws Throwable;
    }

    public static void serve(Command command) throws Exception {
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, "UTF-8");
        System.setOut(System.err);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        out.println("0\tok\tready");
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split("\t");
            String answer;
            try {
                answer = "ok\t" + command.run(words);
            } catch (Throwable thrown) {
                answer = "error\t" + thrown.getClass().getName() + ": " + thrown.getMessage();
            }
            out.println(words[0] + "\t" + answer.replace('\r', ' ').replace('\n', ' '));
        }
        System.exit(0);
    }
}
