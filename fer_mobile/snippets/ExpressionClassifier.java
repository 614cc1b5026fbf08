import android.content.Context;
import android.content.res.AssetFileDescriptor;
import android.graphics.Bitmap;
import android.graphics.Rect;
import java.io.Closeable;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.tensorflow.lite.Interpreter;
import org.tensorflow.lite.Tensor;

/**
 * Expressions of faces, by an int8 file of fer-mobile in the app's assets. One object serves one thread.
 *
 * <p>The weights that fer-mobile ships are for research and evaluation.
 */
public final class ExpressionClassifier implements Closeable {
    /** The file's labels, in the order of its output; fer-mobile android snippet java --model FILE fills them in. */
    private static final String[] LABELS = {
        "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt",
    };

    private final Interpreter interpreter;
    private final int size;
    private final Tensor.QuantizationParams quantization;
    private final ByteBuffer input;
    private final ByteBuffer output = ByteBuffer.allocateDirect(LABELS.length);

    /** Throws IllegalArgumentException for a file that this code is not for. */
    public ExpressionClassifier(Context context, String model) throws IOException {
        interpreter = new Interpreter(map(context, model), new Interpreter.Options().setNumThreads(2));
        int[] shape = interpreter.getInputTensor(0).shape();
        size = shape.length > 1 ? shape[1] : 0;
        check(model);
        quantization = interpreter.getOutputTensor(0).quantizationParams();
        input = ByteBuffer.allocateDirect(size * size).order(ByteOrder.nativeOrder());
    }

    private void check(String model) {
        Tensor image = interpreter.getInputTensor(0);
        Tensor probabilities = interpreter.getOutputTensor(0);
        String expected =
                "INT8 [1, " + size + ", " + size + ", 1] with zero point -128 to INT8 [1, " + LABELS.length + "]";
        String found = image.dataType() + " " + Arrays.toString(image.shape())
                + " with zero point " + image.quantizationParams().getZeroPoint()
                + " to " + probabilities.dataType() + " " + Arrays.toString(probabilities.shape());
        if (!found.equals(expected)) {
            interpreter.close();
            throw new IllegalArgumentException(model + ": expected " + expected + ", found " + found
                    + ". Take the code of: fer-mobile android snippet java --model FILE");
        }
    }

    /** The probability of each label for a face of an upright photo, which is no hardware bitmap. */
    public Map<String, Float> classify(Bitmap photo, Rect face) {
        // The square that the model was trained on: preprocessing.crop of the contract.
        int side = (int) Math.max(1, Math.round(0.9 * face.height()));
        int left = (int) Math.round(face.exactCenterX() - side / 2.0);
        int top = (int) Math.round(face.exactCenterY() + 0.03 * face.height() - side / 2.0);
        int[] gray = gray(photo, left, top, side);
        input.rewind();
        // byte = gray - 128; the gray level itself as the byte costs 34 points of accuracy.
        for (int level : resizeRows(resizeRows(gray, side), side)) {
            input.put((byte) (level - 128));
        }
        input.rewind();
        output.rewind();
        interpreter.run(input, output);
        Map<String, Float> probabilities = new LinkedHashMap<>();
        for (int index = 0; index < LABELS.length; index++) {
            float probability = (output.get(index) - quantization.getZeroPoint()) * quantization.getScale();
            probabilities.put(LABELS[index], probability);
        }
        return probabilities;
    }

    /** Gray levels (ITU-R BT.601) of a square; beyond the photo its edge is repeated. */
    private static int[] gray(Bitmap photo, int left, int top, int side) {
        int width = photo.getWidth();
        int[] row = new int[width];
        int[] gray = new int[side * side];
        for (int y = 0; y < side; y++) {
            int line = Math.min(Math.max(top + y, 0), photo.getHeight() - 1);
            photo.getPixels(row, 0, width, 0, line, width, 1);
            for (int x = 0; x < side; x++) {
                int pixel = row[Math.min(Math.max(left + x, 0), width - 1)];
                int red = pixel >> 16 & 255;
                int green = pixel >> 8 & 255;
                int blue = pixel & 255;
                gray[y * side + x] = (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16;
            }
        }
        return gray;
    }

    /** Rows of so many levels at the model's size, transposed: done twice, it resizes an image. */
    private int[] resizeRows(int[] levels, int width) {
        int height = levels.length / width;
        double ratio = (double) width / size;
        double reach = Math.max(ratio, 1.0); // a triangle filter, widened when it reduces: no aliasing
        int[] resized = new int[size * height];
        for (int x = 0; x < size; x++) {
            double centre = (x + 0.5) * ratio;
            int first = Math.max(0, (int) (centre - reach + 0.5));
            int last = Math.min(width, (int) (centre + reach + 0.5));
            for (int y = 0; y < height; y++) {
                double sum = 0;
                double weights = 0;
                for (int tap = first; tap < last; tap++) {
                    double weight = Math.max(0.0, 1 - Math.abs(tap - centre + 0.5) / reach);
                    sum += weight * levels[y * width + tap];
                    weights += weight;
                }
                resized[x * height + y] = (int) Math.round(sum / weights);
            }
        }
        return resized;
    }

    @Override
    public void close() {
        interpreter.close();
    }

    private static ByteBuffer map(Context context, String model) throws IOException {
        try (AssetFileDescriptor file = context.getAssets().openFd(model);
                FileInputStream stream = file.createInputStream()) {
            return stream.getChannel()
                    .map(FileChannel.MapMode.READ_ONLY, file.getStartOffset(), file.getDeclaredLength());
        }
    }
}
