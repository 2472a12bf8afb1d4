export const apiSchema = (): unknown => ({});
