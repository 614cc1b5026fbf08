import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jetbrains.kotlin.cli.common.ExitCode;
import org.jetbrains.kotlin.cli.jvm.K2JVMCompiler;

/**
 * The Kotlin compiler for one module after the other: each line of the input names a file with a
 * call's arguments, a line each.  What the compiler says is followed by a line with its exit code.
 */
class Kotlinc {
    public static void main(String[] none) throws IOException {
        System.setProperty("kotlin.environment.keepalive", "true");
        BufferedReader calls = new BufferedReader(new InputStreamReader(System.in));
        for (String file = calls.readLine(); file != null; file = calls.readLine()) {
            String[] arguments = Files.readAllLines(Path.of(file)).toArray(new String[0]);
            ExitCode code = new K2JVMCompiler().exec(System.out, arguments);
            System.out.println("\nexit code " + code.getCode());
            System.out.flush();
        }
    }
}
