package grantd.junit;

import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import org.junit.jupiter.params.provider.ArgumentsSource;

/** The tokens of the battery, one after the other, for a {@code @ParameterizedTest} that takes a {@link Case}. */
@Retention(RetentionPolicy.RUNTIME)
@ArgumentsSource(GrantdExtension.Cases.class)
public @interface Battery {
    /** The audience. */
    String value();

    /** {@code name=value}: client_id, scope, binding, method, url, introspects. */
    String[] query() default {};
}
