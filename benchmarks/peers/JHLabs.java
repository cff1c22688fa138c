import com.jhlabs.image.GaussianFilter;
import com.jhlabs.image.MarbleFilter;
import com.jhlabs.image.MotionBlurOp;
import com.jhlabs.image.NoiseFilter;
import com.jhlabs.image.RippleFilter;
import com.jhlabs.image.TransformFilter;
import com.jhlabs.image.TwirlFilter;
import java.awt.image.BufferedImage;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Times JH Labs' filters over a batch of pictures.
 *
 * <p>Arguments: file of raw RGB bytes, number of pictures, width, height, threads, seconds of warm-up of an op.
 * Then each line of the input asks for calls, "op seconds name=v,v,... name=v,v,...", a value for every picture,
 * and gets a line with the seconds of each call in square brackets.
 */
public final class JHLabs {
  /** Distorts one picture with its own parameters; a thread has one of its own. */
  private interface Op {
    void apply(BufferedImage source, BufferedImage result, int picture);
  }

  private final BufferedImage[] sources;
  private final BufferedImage[] results;
  private final int threads;
  private final ExecutorService pool;

  private JHLabs(byte[] bytes, int count, int width, int height, int threads) {
    sources = new BufferedImage[count];
    results = new BufferedImage[count];
    this.threads = threads;
    pool = Executors.newFixedThreadPool(threads);
    int pixels = width * height;
    for (int picture = 0; picture < count; picture++) {
      int[] argb = new int[pixels];
      for (int i = 0; i < pixels; i++) {
        int at = 3 * (picture * pixels + i);
        argb[i] = 0xff000000 | (bytes[at] & 255) << 16 | (bytes[at + 1] & 255) << 8 | bytes[at + 2] & 255;
      }
      // Of the types of pictures, the one that all of the filters have their fast path for.
      sources[picture] = new BufferedImage(width, height, BufferedImage.TYPE_INT_ARGB);
      results[picture] = new BufferedImage(width, height, BufferedImage.TYPE_INT_ARGB);
      sources[picture].getRaster().setDataElements(0, 0, width, height, argb);
    }
  }

  private static Op build(String name, Map<String, float[]> given) {
    switch (name) {
      case "gaussian_blur":
        return blur(given.get("radius"));
      case "motion_blur":
        return motion(given.get("distance"), given.get("angle"));
      case "gaussian_noise":
        return noise(given.get("amount"), given.get("density"), false);
      case "monochrome_noise":
        return noise(given.get("amount"), given.get("density"), true);
      case "marble":
        return marble(given.get("x_scale"), given.get("y_scale"), given.get("turbulence"));
      case "twirl":
        return twirl(given.get("angle"), given.get("radius"));
      case "ripple":
        return ripple(given);
      default:
        throw new IllegalArgumentException(name);
    }
  }

  private static Op blur(float[] radius) {
    GaussianFilter filter = new GaussianFilter();
    filter.setUseAlpha(false);
    return (source, result, i) -> {
      filter.setRadius(radius[i]);
      filter.filter(source, result);
    };
  }

  private static Op motion(float[] distance, float[] angle) {
    MotionBlurOp filter = new MotionBlurOp();
    return (source, result, i) -> {
      filter.setDistance(distance[i]);
      filter.setAngle(angle[i]);
      filter.filter(source, result);
    };
  }

  private static Op noise(float[] amount, float[] density, boolean monochrome) {
    NoiseFilter filter = new NoiseFilter();
    filter.setDistribution(NoiseFilter.GAUSSIAN);
    filter.setMonochrome(monochrome);
    return (source, result, i) -> {
      filter.setAmount((int) amount[i]);
      filter.setDensity(density[i]);
      filter.filter(source, result);
    };
  }

  private static Op marble(float[] xScale, float[] yScale, float[] turbulence) {
    MarbleFilter filter = new MarbleFilter();
    filter.setEdgeAction(TransformFilter.CLAMP);
    return (source, result, i) -> {
      filter.setXScale(xScale[i]);
      filter.setYScale(yScale[i]);
      filter.setTurbulence(turbulence[i]);
      filter.filter(source, result);
    };
  }

  private static Op twirl(float[] angle, float[] radius) {
    TwirlFilter filter = new TwirlFilter();
    filter.setEdgeAction(TransformFilter.CLAMP);
    return (source, result, i) -> {
      filter.setAngle(angle[i]);
      filter.setRadius(radius[i]);
      filter.filter(source, result);
    };
  }

  private static Op ripple(Map<String, float[]> given) {
    RippleFilter filter = new RippleFilter();
    filter.setEdgeAction(TransformFilter.CLAMP);
    return (source, result, i) -> {
      filter.setXAmplitude(given.get("x_amplitude")[i]);
      filter.setXWavelength(given.get("x_wavelength")[i]);
      filter.setYAmplitude(given.get("y_amplitude")[i]);
      filter.setYWavelength(given.get("y_wavelength")[i]);
      filter.filter(source, result);
    };
  }

  /** Seconds of one call, which distorts every picture; threads take the next one when they are free. */
  private double call(List<Op> ops) throws Exception {
    AtomicInteger next = new AtomicInteger();
    List<Callable<Void>> tasks = new ArrayList<>();
    for (Op op : ops) {
      tasks.add(
          () -> {
            for (int i = next.getAndIncrement(); i < sources.length; i = next.getAndIncrement()) {
              op.apply(sources[i], results[i], i);
            }
            return null;
          });
    }
    long start = System.nanoTime();
    for (Future<Void> done : pool.invokeAll(tasks)) {
      done.get();
    }
    return (System.nanoTime() - start) * 1e-9;
  }

  /** Calls for about so many seconds, at least one, behind one that does not count. */
  private List<Double> turn(List<Op> ops, double seconds) throws Exception {
    call(ops);
    List<Double> spent = new ArrayList<>();
    double total = 0;
    while (spent.isEmpty() || total < seconds) {
      spent.add(call(ops));
      total += spent.get(spent.size() - 1);
    }
    return spent;
  }

  private void serve(BufferedReader input, double warmUp) throws Exception {
    Set<String> warm = new HashSet<>();
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      String[] words = line.split(" ");
      Map<String, float[]> given = new HashMap<>();
      for (int i = 2; i < words.length; i++) {
        String[] pair = words[i].split("=");
        String[] texts = pair[1].split(",");
        float[] values = new float[texts.length];
        for (int k = 0; k < texts.length; k++) {
          values[k] = Float.parseFloat(texts[k]);
        }
        given.put(pair[0], values);
      }
      List<Op> ops = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        ops.add(build(words[0], given));
      }
      if (warm.add(words[0])) {
        turn(ops, warmUp);
      }
      System.out.println(turn(ops, Double.parseDouble(words[1])));
    }
  }

  public static void main(String[] arguments) throws Exception {
    byte[] bytes = Files.readAllBytes(Path.of(arguments[0]));
    int[] numbers = new int[4];
    for (int i = 0; i < 4; i++) {
      numbers[i] = Integer.parseInt(arguments[i + 1]);
    }
    JHLabs benchmark = new JHLabs(bytes, numbers[0], numbers[1], numbers[2], numbers[3]);
    try {
      benchmark.serve(new BufferedReader(new InputStreamReader(System.in)), Double.parseDouble(arguments[5]));
    } finally {
      benchmark.pool.shutdownNow();
    }
  }
}
