package grantd.junit;

import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.ArgumentsProvider;

/**
 * Gives tests a {@link Grantd}. After each its clock is right again, unless others use it too: by GRANTD_CONTROL, or
 * because tests run in parallel. With {@link Resetting} everything is.
 */
public class GrantdExtension implements ParameterResolver, AfterEachCallback {
    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == Grantd.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        return Grantd.shared();
    }

    @Override
    public void afterEach(ExtensionContext context) {
        var parallel = context.getConfigurationParameter("junit.jupiter.execution.parallel.enabled");
        boolean isAlone = Grantd.shared().isOwn() && !parallel.map(Boolean::parseBoolean).orElse(false);
        if (isAlone) putBack(Grantd.shared());
    }

    void putBack(Grantd grantd) {
        grantd.clock("reset", true);
    }

    /** After each test everything is as at the start. */
    public static final class Resetting extends GrantdExtension {
        @Override
        void putBack(Grantd grantd) {
            grantd.reset();
        }
    }

    static final class Cases implements ArgumentsProvider {
        @Override
        public Stream<? extends Arguments> provideArguments(ExtensionContext context) {
            Battery battery = context.getRequiredTestMethod().getAnnotation(Battery.class);
            Map<String, String> query = Arrays.stream(battery.query())
                    .map(pair -> pair.split("=", 2))
                    .collect(Collectors.toMap(pair -> pair[0], pair -> pair[1]));
            return Grantd.shared().battery(battery.value(), query).stream().map(it -> Arguments.of(Named.of(it.name(), it)));
        }
    }
}
