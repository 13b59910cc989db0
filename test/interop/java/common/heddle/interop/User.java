package heddle.interop;

import java.io.Serializable;
import java.util.Date;
import java.util.List;

public class User implements Serializable {
    private static final long serialVersionUID = 1L;
    private String name;
    private int age;
    private long balance;
    private double score;
    private boolean active;
    private Date since;
    private List<String> tags;
    private User friend;

    public String getName() { return name; }
    public void setName(String value) { name = value; }
    public int getAge() { return age; }
    public void setAge(int value) { age = value; }
    public long getBalance() { return balance; }
    public void setBalance(long value) { balance = value; }
    public double getScore() { return score; }
    public void setScore(double value) { score = value; }
    public boolean isActive() { return active; }
    public void setActive(boolean value) { active = value; }
    public Date getSince() { return since; }
    public void setSince(Date value) { since = value; }
    public List<String> getTags() { return tags; }
    public void setTags(List<String> value) { tags = value; }
    public User getFriend() { return friend; }
    public void setFriend(User value) { friend = value; }

    @Override
    public String toString() {
        return "User(" + name + " " + age + " " + balance + " " + score + " " + active + " "
            + (since == null ? "never" : String.valueOf(since.getTime())) + " " + tags + " " + friend + ")";
    }
}
