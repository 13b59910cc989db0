package heddle.interop;

public class DeclaredException extends Exception {
    private static final long serialVersionUID = 1L;
    private int number;

    public DeclaredException() {}

    public DeclaredException(String message, int number) {
        super(message);
        this.number = number;
    }

    public int getNumber() { return number; }
}
